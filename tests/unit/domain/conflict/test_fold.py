"""The fold takes what a decision can have written, and refuses what it cannot."""

from dataclasses import fields, replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.causality.causal_context import Dot
from domain.conflict import events as e
from domain.conflict import fold as folding
from domain.conflict import possible
from domain.conflict.case import ContextKey, Position
from domain.conflict.fold import AFTER, fold
from domain.conflict.hearing import open_case
from domain.conflict.state import NO_CASE
from domain.consensus.events import PersonRuled
from domain.refusal import ImpossibleEvent
from domain.stream import Draft
from tests.unit.domain.conflict.given import AT, CASE, LATE, POSITIONS, Trial, crowd, member, refold, trials
from tests.unit.drawing import examples

PAT = e.VerdictGiven("Pat", "p1", "so")


def event(state, data, at=AT):
    return Draft("conflict/c1", "test", "conflict/c1", "run", len(state.event_ids)).events([data], at)[0]


def refused(trial, data, field, at=None):
    with pytest.raises(ImpossibleEvent) as caught:
        fold(trial.state, event(trial.state, data, at or trial.now))
    assert caught.value.field == field
    assert "\n" not in str(caught.value)


def begun(level=2, **changes):
    trial = Trial.of(level=level, **changes)
    trial.begin()
    return trial


def ruled(level=2, **changes):
    trial = Trial.of(level=level, **changes)
    trial.decide("p1")
    return trial


def waiting():
    trial = Trial.of(critical=True, policy={"person_seconds": 100.0, "reminder_seconds": 10.0})
    trial.decide("p1")
    return trial


def test_an_event_of_another_capability_or_version_is_refused():
    trial = Trial.of()
    refused(trial, PersonRuled("Pat", "p1", "so"), "type")
    with pytest.raises(
        ImpossibleEvent, match=r"^version: conflict/c1 is at version 1, so 3 is not the next$"
    ):
        fold(trial.state, replace(event(trial.state, PAT), version=3))


def test_every_type_of_event_has_its_phases_and_a_pinned_name():
    assert set(AFTER) == set(e.EVENTS)
    names = [one.TYPE for one in e.EVENTS]
    assert len(set(names)) == len(names) == 20
    assert all(name.startswith("conflict.") and name.endswith(".v1") for name in names)


def test_nothing_happens_before_the_opening_or_after_the_outcome():
    closed = ruled()
    closed.end()
    for data in (e.CaseOpened(CASE.case, CASE.policy, 2, ""), PAT, e.CaseGrown((LATE,))):
        refused(closed, data, "type")
    refused(Trial(), PAT, "type")
    refused(Trial(), closed.state.outcome, "type")


@pytest.mark.parametrize(
    ("case", "level", "field"),
    [
        (CASE.case, 0, "initial_level"),
        (CASE.case, 5, "initial_level"),
        (replace(CASE.case, critical=True), 3, "initial_level"),
        (replace(CASE.case, regions=()), 2, "regions"),
        # An index takes no such key, and no version names such a node: either stopped more than its own case.
        (replace(CASE.case, context=ContextKey(CASE.layer, "k" * 3_000)), 2, "context.key"),
        (
            replace(CASE.case, positions=(replace(POSITIONS[0], dot=Dot("a b", 1)), *POSITIONS[1:])),
            2,
            "positions[0].dot.node",
        ),
    ],
)
def test_an_opening_that_no_command_leads_to_is_refused(case, level, field):
    refused(Trial(), e.CaseOpened(case, CASE.policy, level, ""), field)


@pytest.mark.parametrize(
    "positions",
    [
        (),
        (POSITIONS[0],),
        (replace(LATE, dot=POSITIONS[0].dot),),
        (LATE, LATE),
        (LATE, replace(LATE, id="p4")),
    ],
)
def test_growth_by_nothing_new_is_refused(positions):
    refused(Trial.of(), e.CaseGrown(positions), "positions")


def test_growth_by_what_no_command_takes_is_refused():
    at = f"positions[{len(POSITIONS)}].dot.node"
    refused(Trial.of(), e.CaseGrown((replace(LATE, dot=Dot("a b", 1)),)), at)


def seats(*numbers, region=None):
    return tuple(e.Member(one.id, region or one.region) for one in map(member, numbers))


@pytest.mark.parametrize(
    ("level", "changes", "field"),
    [
        (2, {"level": 3}, "level"),
        (2, {"heard": 1}, "heard"),
        (2, {"rule": "semantic_merge"}, "rule"),
        (2, {"panel": seats(0, 3)}, "panel"),
        (2, {"panel": seats(0, 3, 6, 9)}, "panel"),
        (2, {"panel": seats(0, 3, 3)}, "panel"),
        (2, {"panel": seats(0, 3, 1)}, "panel"),
        (2, {"panel": (*seats(0, 3), e.Member("ann", "eu"))}, "panel"),
        (2, {"deliberation": None}, "deliberation"),
        (3, {"panel": seats(1, 4, 7, 10, 13, 16, 19)}, "panel"),
        (3, {"panel": seats(1, 2, 4, 5, 7, 8, 0)}, "panel"),
        (3, {"panel": (*seats(1, 2, 4, 5, 7, 8), e.Member("m99"))}, "panel"),
        (4, {"panel": seats(*range(16))}, "panel"),
        (4, {"panel": ()}, "deliberation"),
        (1, {"rule": "temporal_merge"}, "rule"),
        (1, {"rule": None}, "rule"),
    ],
)
def test_a_level_that_could_not_have_begun_is_refused(level, changes, field):
    trial = Trial.of(level=level)
    honest = begun(level).log[-1].data
    fold(trial.state, event(trial.state, honest))
    refused(trial, replace(honest, **changes), field)


def test_whoever_sat_below_does_not_sit_above():
    trial = ruled(2)
    trial.appeal("bob")
    trial.settle()
    for _ in range(1):
        trial.decide("p1")
    trial.appeal("ann")
    trial.settle()
    again = trial.state.begun[0].panel
    court = e.LevelBegun(4, 2, panel=again, candidates=3, deliberation="consensus/c1-level-4")
    refused(trial, court, "panel")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"level": 3}, "level"),
        ({"deliberation": "consensus/other"}, "deliberation"),
        ({"choice": "p9"}, "choice"),
        ({"cast": 4}, "cast"),
        ({"cast": -1}, "cast"),
        ({"votes": (e.Vote("mallory", "p1"),)}, "votes"),
    ],
)
def test_what_no_panel_can_have_said_is_refused(changes, field):
    trial = begun()
    honest = e.PanelHeard(2, "consensus/c1-level-2", "p1", 3, "so", (), "id")
    fold(trial.state, event(trial.state, honest))
    refused(trial, replace(honest, **changes), field)


def test_two_votes_of_one_member_are_refused():
    trial = begun()
    one = e.Vote(trial.state.sitting.panel[0].voter, "p1")
    refused(trial, e.PanelHeard(2, "consensus/c1-level-2", "p1", 3, "so", (one, one), "id"), "votes")


def test_answers_out_of_place_are_refused():
    refused(begun(), e.LevelFailed(3, "so"), "level")
    refused(begun(1), e.RuleApplied("semantic_merge", "p9", None, "so"), "choice")
    court = begun(4)
    refused(court, e.OpinionGiven("m", "p1", 0.9, "so"), "type")
    court.deliberate()
    refused(court, e.OpinionGiven("m", "p9", 0.9, "so"), "choice")


def test_an_appeal_that_was_not_admissible_is_refused():
    trial = ruled()
    fold(trial.state, event(trial.state, e.Appealed(2, "bob", "so")))
    refused(trial, e.Appealed(3, "bob", "so"), "level")
    refused(trial, e.Appealed(2, "mallory", "so"), "party")
    refused(trial, e.Appealed(2, "bob", "so"), "party", AT + timedelta(seconds=86_400))
    trial.appeal("bob")
    trial.settle()
    trial.decide("p1")
    refused(trial, e.Appealed(3, "bob", "again"), "party")


def test_a_rule_that_came_to_nothing_rules_nothing_even_if_it_was_recorded_as_empty():
    trial = begun(1)
    trial.write([e.RuleApplied("semantic_merge", None, "", "so")])
    assert isinstance(trial.settle()[0], e.Escalated)


def test_reminders_and_the_deadline_have_their_time():
    trial = waiting()
    refused(trial, e.Reminded(1), "number", AT + timedelta(seconds=9))
    refused(trial, e.Reminded(0), "number", AT + timedelta(seconds=10))
    refused(trial, e.DeadlinePassed("hold"), "type", AT + timedelta(seconds=99))
    refused(trial, e.DeadlinePassed("uphold"), "then", AT + timedelta(seconds=100))
    trial.later(100).wake()
    refused(trial, e.DeadlinePassed("hold"), "type")
    refused(trial, e.Reminded(trial.state.reminders), "number")


def test_a_verdict_is_of_a_position_that_was_heard():
    refused(waiting(), e.VerdictGiven("Pat", "p9", "so"), "choice")


def test_an_annulment_is_by_a_party_in_time_before_three_new_members():
    trial = ruled(4)
    honest = Trial.of(level=4)
    honest.decide("p1")
    (asked,) = honest.annul("bob")
    fold(trial.state, event(trial.state, asked))
    refused(trial, replace(asked, party="mallory"), "party")
    refused(trial, asked, "party", AT + timedelta(seconds=259_200))
    refused(trial, replace(asked, panel=asked.panel[:2]), "panel")
    refused(trial, replace(asked, panel=trial.state.sitting.panel[:3]), "panel")
    trial.annul("bob")
    refused(
        trial,
        e.AnnulmentDecided("consensus/x", annulled=True, reason="", votes=(), event_id="i"),
        "deliberation",
    )
    vote = (e.Vote("mallory", "annul"),)
    told = e.AnnulmentDecided(asked.deliberation, annulled=True, reason="", votes=vote, event_id="i")
    refused(trial, told, "votes")


def test_a_level_is_passed_over_only_for_want_of_members():
    trial = Trial.of(level=2)
    fold(trial.state, event(trial.state, e.Escalated(2, "too_few_members", "so")))
    refused(trial, e.Escalated(2, "failure", "so"), "cause")
    refused(trial, e.Escalated(3, "too_few_members", "so"), "cause")
    refused(Trial.of(level=1), e.Escalated(1, "too_few_members", "so"), "cause")
    refused(Trial.of(level=4), e.Escalated(4, "too_few_members", "so"), "cause")


def test_a_ruling_before_its_answer_or_an_outcome_before_its_time_is_refused():
    trial = ruled()
    outcome = ruled()
    outcome.end()
    refused(trial, outcome.state.outcome, "type")
    refused(begun(), trial.state.last_ruling.ruled, "type")


@examples(60)
@given(trials(), st.data())
def test_what_the_record_compels_cannot_be_forged(trial, data):
    """Another level, choice, authority, cause or resolution in a compelled event is found by the fold."""
    at = [n for n, one in enumerate(trial.log) if isinstance(one.data, e.Ruled | e.Resolved)]
    if not at:
        return
    number = data.draw(st.sampled_from(at))
    told = trial.log[number]
    before = refold(trial.log[:number])
    name = data.draw(
        st.sampled_from([f.name for f in fields(told.data) if f.name not in ("reason", "reasons", "scores")])
    )
    value = getattr(told.data, name)
    forged = {
        "authority": "mediator" if value != "mediator" else "rule",
        "covers": (Dot("x", 1),),
        "final_authority": not value,
    }.get(
        name, f"{value}!" if isinstance(value, str) else (value or 0) + 1 if isinstance(value, int) else "p9"
    )
    with pytest.raises(ImpossibleEvent):
        fold(before, replace(told, data=replace(told.data, **{name: forged})))


@examples(50)
@given(trials())
def test_a_recorded_case_is_not_missing_an_event(trial):
    for gap in range(len(trial.log) - 1):
        with pytest.raises(ImpossibleEvent):
            refold([*trial.log[:gap], *trial.log[gap + 1 :]])


def test_words_may_change_from_release_to_release():
    trial = Trial.of()
    trial.begin()
    trial.deliberate(**trial.everyone("p1"))
    (honest,) = trial.settle()
    before = refold(trial.log[:-1])
    fold(before, event(before, replace(honest, reason="worded otherwise")))


def test_a_kind_of_event_that_this_release_does_not_know_is_never_taken_for_another():
    for decide in (
        lambda: folding._learned(NO_CASE, object(), AT),
        lambda: folding._concluded(NO_CASE, object(), AT),
        lambda: possible.check_evidence(NO_CASE, object(), AT),
        lambda: possible._essence(object()),
    ):
        with pytest.raises(AssertionError):
            decide()


def test_an_opening_is_what_opening_decides():
    state = fold(NO_CASE, event(NO_CASE, open_case(CASE)[0]))
    assert (state.phase, state.level, state.opened_at, state.opened) == ("to_begin", 2, AT, CASE.case)
    assert isinstance(state.opened.positions[0], Position)
    assert len(crowd()) == 45
