"""What people read about a deliberation, and that the text of others stays text there."""

from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from domain.consensus.commands import OpenDeliberation, RecordedBallot, Voter
from domain.consensus.decide import open_deliberation
from domain.consensus.recorded import hold_rounds
from domain.consensus.state import NOT_OPENED, Deliberation, fold_all
from domain.stream import Draft
from workflows.consensus_text import escaped, explanation, summary, table

AT = datetime(2026, 1, 2, tzinfo=UTC)


def held(*choices: str | None, question: str = "Which?") -> Deliberation:
    voters = tuple(Voter(f"v{n}", ballots=(RecordedBallot(c),)) for n, c in enumerate(choices))
    draft = Draft("consensus/q", "test", "consensus/q", "run")
    request = OpenDeliberation("q", question, ("a", "b"), voters)
    opened = fold_all(NOT_OPENED, draft.events(open_deliberation(request), AT))
    return hold_rounds(opened, voters, draft, AT)[1]


def test_before_the_opening_every_view_says_so():
    assert table(NOT_OPENED, "balloting") == "not opened yet"
    assert explanation(NOT_OPENED) == "The deliberation is not opened yet."
    assert summary(NOT_OPENED, frozenset())["waits_for"] == "opening"


def test_an_open_round_is_told_with_its_options_and_who_has_voted():
    draft = Draft("consensus/q", "test", "consensus/q", "run")
    request = OpenDeliberation("q", "Which?", ("a", "b"), (Voter("x", "external"), Voter("y", "external")))
    state = fold_all(NOT_OPENED, draft.events(open_deliberation(request), AT))
    assert explanation(state).splitlines()[-1] == "Round 1 is open: a, b. Ballots under seal: nobody yet."
    assert explanation(state, frozenset({"y"})).splitlines()[-1].endswith("Ballots under seal: y.")


def test_a_decision_is_told_with_its_numbers_and_reason():
    state = held("a", "a", "a", "b")
    assert "| 1 | a | 0.7500 | 4 | 0 | threshold |" in table(state, "consensus")
    told = explanation(state).splitlines()
    assert (
        told[1]
        == "4 voters, at most 3 rounds; 0.75 of the weight cast decides, the quorum is 0.5 of the panel."
    )
    assert told[2].startswith("Round 1: a 3, b 1; the leading choice has 0.7500")
    assert told[-1].startswith("Decided by consensus: a (")


def test_weights_are_shown_where_they_are_not_the_heads():
    state = held("a", "a", "a", "b")
    (closed,) = state.rounds
    weighed = tuple(replace(support, weight=support.ballots / 2) for support in closed.tally)
    told = explanation(replace(state, rounds=(replace(closed, tally=weighed),))).splitlines()
    assert told[2].startswith("Round 1: a 3 (weight 1.5), b 1 (weight 0.5); ")


def test_no_choice_is_said_and_never_looks_like_one():
    state = held("a", "b")
    assert explanation(state).splitlines()[-1].startswith("Unresolved: ")
    assert "unresolved: no choice" in table(state, "unresolved")
    assert "| 1 | a, b | 0.5000 |" in table(state, "unresolved")


def test_ballots_under_seal_are_named_by_voter_only():
    assert summary(held("a"), frozenset({"y", "x"}))["handed_in"] == ["x", "y"]


def test_the_table_stays_within_what_temporal_shows():
    state = held("a", "b", question="ü" * 8000)
    assert len(table(state, "unresolved").encode()) < 20_000


@given(st.text(max_size=200))
def test_escaped_text_has_no_markup_and_no_control_characters(text):
    shown = escaped(text, 1000)
    bare = shown.replace("\\\\", "")
    for mark in "|`<>[]*_#":
        assert bare.count(mark) == bare.count(f"\\{mark}")
    assert all(c.isprintable() for c in shown)
