"""From the opening to what each level came to, and what follows from it."""

from dataclasses import replace

import pytest

from domain.causality.causal_context import Dot
from domain.conflict import hearing
from domain.conflict.case import Evidence, Position
from domain.conflict.commands import GrowCase
from domain.conflict.deliberations import level_question, panel_heard, votes_of
from domain.conflict.events import (
    CaseGrown,
    CaseOpened,
    Escalated,
    LevelBegun,
    LevelFailed,
    OpinionGiven,
    PanelHeard,
    Resolved,
    RuleApplied,
    Ruled,
    Unresolved,
    Vote,
)
from domain.conflict.hearing import CaseIsClosed
from domain.conflict.policy import ConflictPolicy
from domain.conflict.result import ResolutionFailed, result_of
from domain.conflict.state import NO_CASE
from domain.consensus.commands import RecordedBallot
from domain.consensus.events import Score
from domain.consensus.outcome import outcome_of
from domain.refusal import Refusal
from tests.unit.domain.conflict.given import (
    CASE,
    LATE,
    PIECES,
    POSITIONS,
    Trial,
    crowd,
    deliberated,
    held,
    member,
)


def said(number, *choices):
    ballots = tuple(RecordedBallot(choice, number_ + 1) for number_, choice in enumerate(choices))
    return replace(member(number), ballots=ballots)


def test_an_opening_freezes_the_case_its_policy_and_its_level():
    assert hearing.open_case(CASE) == [
        CaseOpened(CASE.case, ConflictPolicy(), 2, "too severe for a rule alone", ())
    ]


def test_level_1_applies_the_rule_of_the_layer():
    trial = Trial.of(level=1)
    assert trial.begin() == [LevelBegun(1, 2, rule="semantic_merge")]
    assert trial.begin() == []
    trial.apply("p2")
    assert trial.settle() == [Ruled(1, 2, "p2", "seven beds", "rule", "the later clock")]


def test_a_rule_may_merge_instead_of_choosing():
    trial = Trial.of(level=1)
    trial.begin()
    trial.apply(None, '{"beds": 8}')
    assert trial.settle() == [Ruled(1, 2, None, '{"beds": 8}', "rule", "the later clock")]
    trial.end()
    result = result_of(trial.state)
    assert (result.resolution, result.choice, result.level_used, result.final_authority) == (
        '{"beds": 8}',
        None,
        1,
        None,
    )


def test_a_rule_that_settles_nothing_escalates():
    trial = Trial.of(level=1)
    trial.begin()
    trial.apply(None, None, "the numbers contradict")
    assert trial.settle() == [
        Escalated(1, "failure", "rule semantic_merge settles nothing: the numbers contradict")
    ]


@pytest.mark.parametrize(
    ("outcome", "why"),
    [
        (
            RuleApplied("temporal_merge", "p1", None, ""),
            "the node applied temporal_merge, not semantic_merge",
        ),
        (RuleApplied("semantic_merge", "p9", None, ""), "the rule chose what is no position of the case"),
        (RuleApplied("semantic_merge", None, " ", ""), "the rule's resolution is empty"),
        (
            RuleApplied("semantic_merge", None, "a\0", ""),
            "the rule's resolution holds a NUL character, which a database cannot store",
        ),
        (
            RuleApplied("semantic_merge", None, "\ud800", ""),
            "the rule's resolution holds a lone surrogate, which is not text",
        ),
        (
            RuleApplied("semantic_merge", None, "é" * 32_769, ""),
            "the rule's resolution has 65538 bytes, at most 65536 are taken",
        ),
    ],
)
def test_a_rule_s_answer_that_does_not_fit_is_a_failure_of_the_level(outcome, why):
    trial = Trial.of(level=1)
    trial.begin()
    assert trial.write(hearing.record_rule(trial.state, outcome)) == [LevelFailed(1, why)]
    assert trial.settle() == [Escalated(1, "failure", why)]
    assert hearing.record_rule(trial.state, outcome) == []


def test_a_rule_s_largest_merge_is_taken():
    trial = Trial.of(level=1)
    trial.begin()
    assert trial.apply(None, "é" * 32_768)


def test_a_panel_is_asked_for_the_id_of_a_position():
    trial = Trial.of()
    (begun,) = trial.begin()
    assert begun.deliberation == "consensus/c1-level-2"
    assert (begun.heard, len(begun.panel), begun.candidates, begun.note) == (2, 3, 15, "")
    question = level_question(trial.state, trial.members)
    assert question.id == "c1-level-2"
    assert question.options == ("p1", "p2")
    assert question.context == ("p1 (ann): nine beds", "p2 (bob): seven beds")
    assert question.evidence == ("e1: the ward's log says nine", "e2: the porter counted seven")
    assert [one.id for one in question.voters] == [seat.voter for seat in begun.panel]
    assert question.policy.otherwise == "unresolved"


def test_a_panel_of_three_rules_by_two():
    trial = Trial.of()
    trial.begin()
    first, second, third = (seat.voter for seat in trial.state.sitting.panel)
    (heard,) = trial.deliberate(**{first: "p2", second: "p2", third: "p1"})
    assert (heard.choice, heard.cast, heard.level) == ("p2", 3, 2)
    assert {vote.voter: vote.choice for vote in heard.votes} == {first: "p2", second: "p2", third: "p1"}
    (ruled,) = trial.settle()
    assert (ruled.choice, ruled.resolution, ruled.authority) == ("p2", "seven beds", "consensus")
    assert hearing.record_panel(trial.state, None) == []


def test_a_panel_without_consensus_escalates_and_says_so():
    trial = Trial.of()
    trial.begin()
    first, second, third = (seat.voter for seat in trial.state.sitting.panel)
    trial.deliberate(**{first: "p2", second: "p1", third: None})
    (escalated,) = trial.settle()
    assert (escalated.level, escalated.cause) == (2, "no_consensus")
    assert "a tie of 2 choices" in escalated.detail


def test_a_panel_without_a_quorum_escalates_with_the_numbers():
    trial = Trial.of()
    trial.begin()
    first, second, third = (seat.voter for seat in trial.state.sitting.panel)
    trial.deliberate(**{first: "p2", second: None, third: None})
    (escalated,) = trial.settle()
    assert escalated.cause == "no_quorum"
    assert escalated.detail.startswith("1 of 3 members cast a ballot: ")


def test_too_few_members_escalate_without_a_panel():
    trial = Trial.of(crowd(6))
    assert trial.begin() == [Escalated(2, "too_few_members", "2 members of region eu may sit, 3 are needed")]
    assert trial.state.level == 3
    assert trial.begin()[0].cause == "too_few_members"
    (court,) = trial.begin()
    assert (court.level, len(court.panel), court.note) == (4, 6, "everyone who may sit: 6 of 15 seats")


def test_a_level_that_breaks_escalates_with_its_failure():
    trial = Trial.of()
    trial.begin()
    assert trial.write(hearing.record_failure(trial.state, "the node\x00 is gone")) == [
        LevelFailed(2, "the node\ufffd is gone")
    ]
    assert trial.settle() == [Escalated(2, "failure", "the node\ufffd is gone")]
    assert hearing.record_failure(trial.state, "again") == []


def test_level_4_hears_its_court_and_then_the_mediator():
    trial = Trial.of(level=4)
    trial.begin()
    trial.deliberate(**trial.everyone("p1"))
    assert trial.settle() == []
    trial.opine("p2")
    assert trial.state.opinion.choice == "p2"
    (ruled,) = trial.settle()
    assert (ruled.choice, ruled.authority) == ("p1", "consensus"), "the opinion is for the record"
    trial.end()
    result = result_of(trial.state)
    assert (result.level_used, result.escalations, result.final_authority) == (4, 0, True)


def test_where_the_court_is_undecided_the_mediator_decides():
    trial = Trial.of(level=4)
    assert trial.decide("mauve", "p2")[0].authority == "mediator"


@pytest.mark.parametrize(("confidence", "decides"), [(0.49, False), (0.5, True)])
def test_a_mediator_who_is_not_sure_enough_decides_nothing(confidence, decides):
    trial = Trial.of(level=4)
    trial.begin()
    trial.deliberate(**trial.everyone("mauve"))
    trial.opine("p2", confidence)
    assert isinstance(trial.settle()[0], Ruled) == decides


def test_a_court_that_breaks_leaves_the_mediator():
    trial = Trial.of(level=4)
    trial.begin()
    trial.write(hearing.record_failure(trial.state, "lightning"))
    trial.opine("p1")
    assert trial.settle()[0].authority == "mediator"


def test_past_level_4_all_causes_are_told():
    trial = Trial.of(crowd(45, None), level=2)
    for _ in range(3):
        trial.begin()
        trial.deliberate()
        if trial.state.phase == "mediator":
            trial.opine()
        trial.settle()
    assert isinstance(trial.state.outcome, Unresolved)
    with pytest.raises(ResolutionFailed) as caught:
        result_of(trial.state)
    line = str(caught.value)
    assert line.startswith(
        "Conflict resolution failed at all levels: level 2: no quorum: 0 of 3 members cast a ballot: "
    )
    assert "; level 3: no quorum: 0 of 7 members" in line
    assert "; level 4: no quorum: 0 of 15 members" in line
    assert line.isprintable()


def test_where_nobody_may_sit_the_last_cause_says_so():
    trial = Trial.of(())
    trial.begin()
    trial.begin()
    (court,) = trial.begin()
    assert (court.panel, court.deliberation, court.note) == ((), None, "everyone who may sit: 0 of 15 seats")
    trial.opine()
    (outcome,) = trial.settle()
    assert outcome.causes == (
        "level 2: too few members: 0 members of region eu may sit, 3 are needed",
        "level 3: too few members: 0 members in 0 other regions may sit, 7 in 2 are needed",
        "level 4: too few members: nobody is left who may sit",
    )


def test_an_appeal_with_escape_codes_is_told_as_text():
    trial = Trial.of(level=1)
    trial.decide("p1")
    trial.appeal("bob", "see\nhere")
    trial.settle()
    for _ in range(3):
        trial.decide("mauve")
    assert r"level 1: appeal: bob: see\nhere" in trial.state.outcome.reason


@pytest.mark.parametrize(
    ("given_", "why"),
    [
        (OpinionGiven("m", "p9", 0.9, "so"), "the mediator chose what is no position of the case"),
        (
            OpinionGiven("m", "p1", 0.9, "so", ("e1", "e9")),
            "the mediator cited 1 pieces that are not evidence",
        ),
        (OpinionGiven("m", "p1", 1.5, "so"), "the mediator's confidence is outside 0 to 1"),
        (OpinionGiven("m", None, 0.5, "so", ("e9",)), "the mediator cited 1 pieces that are not evidence"),
    ],
)
def test_an_opinion_that_does_not_fit_is_none_and_the_record_says_so(given_, why):
    trial = Trial.of(level=4)
    trial.begin()
    trial.deliberate()
    (opinion,) = trial.write(hearing.record_opinion(trial.state, given_))
    assert (opinion.choice, opinion.confidence, opinion.citations) == (None, 0.0, ())
    assert opinion.rationale.startswith(f"no verdict: {why}")
    assert opinion.rationale.endswith("\nso")
    assert hearing.record_opinion(trial.state, given_) == []


def test_a_case_grows_while_it_is_open_and_a_running_level_does_not_hear_it():
    trial = Trial.of()
    trial.begin()
    piece = Evidence("e3", "eight were booked")
    assert trial.grow(LATE, evidence=(*PIECES, piece)) == [CaseGrown((LATE,), (piece,))]
    assert trial.state.opened.parties == ("ann", "bob", "cem")
    assert trial.state.options == ("p1", "p2")
    trial.deliberate(**trial.everyone("p1"))
    trial.settle()
    trial.appeal("cem")
    trial.settle()
    trial.decide("p3")
    trial.end()
    result = result_of(trial.state)
    assert (result.choice, result.unheard) == ("p3", ())
    assert result.covers == (Dot("eu-1", 4), Dot("eu-2", 9), Dot("eu-3", 1))


def test_what_came_too_late_for_the_ruling_is_not_covered_by_it():
    trial = Trial.of()
    trial.begin()
    trial.grow(LATE)
    trial.deliberate()
    trial.settle()
    trial.end()
    result = result_of(trial.state)
    assert result.covers == (Dot("eu-1", 4), Dot("eu-2", 9))
    assert result.unheard == (Dot("eu-3", 1),)


def test_growing_by_what_is_there_writes_nothing():
    trial = Trial.of()
    assert trial.grow(*POSITIONS) == []
    assert trial.grow(replace(POSITIONS[0], id="other")) == [], "the write is there under another id"
    trial.grow(LATE)
    assert trial.grow(LATE, POSITIONS[1]) == []
    trial.decide("p1")
    trial.end()
    assert trial.grow(LATE) == []


@pytest.mark.parametrize(
    ("position", "field"),
    [
        (Position("p1", "ann", "ten beds"), "positions"),
        (Position("p9", "ann", "\x1b"), "positions[2].claim"),
        (Position("p9", "ann", "x", ("e9",)), "positions[2].evidence"),
    ],
)
def test_growing_by_what_does_not_fit_is_refused_by_its_place(position, field):
    with pytest.raises(Refusal) as caught:
        hearing.grow(Trial.of().state, GrowCase((position,)))
    assert caught.value.field == field


def test_a_closed_case_grows_no_more():
    trial = Trial.of()
    trial.decide("p1")
    trial.end()
    with pytest.raises(CaseIsClosed, match=r"^case: c1 is closed; open another for what came later$"):
        hearing.grow(trial.state, GrowCase((LATE,)))


def test_the_record_of_another_panel_is_not_taken_for_the_case_s_own():
    trial = Trial.of()
    trial.begin()
    question = level_question(trial.state, trial.members)
    for other in (replace(question, id="c2-level-2"), replace(question, voters=crowd(3))):
        with pytest.raises(Refusal, match="was held by another panel than the case drew"):
            panel_heard(trial.state, held(other))


def test_without_a_panel_there_is_nothing_to_ask_or_to_hear():
    trial = Trial.of(level=1)
    trial.begin()
    for refused in (lambda: level_question(trial.state, ()), lambda: panel_heard(trial.state, None)):
        with pytest.raises(Refusal, match=r"^level: no panel sits on level 1$"):
            refused()


def test_votes_are_the_first_ballots_and_an_equivocator_has_none():
    trial = Trial.of()
    trial.begin()
    question = level_question(trial.state, trial.members)
    first, second, third = question.voters
    changed = (
        replace(first, ballots=said(0, "p1", "p2").ballots),
        replace(second, ballots=said(1, "p2", "p2").ballots),
        replace(third, ballots=said(2, None, "p2").ballots),
    )
    state = deliberated(replace(question, voters=changed))
    assert state.decided.consensus == "p2"
    assert {vote.voter: vote.choice for vote in votes_of(outcome_of(state))} == {
        first.id: "p1",
        second.id: "p2",
        third.id: None,
    }
    closed = replace(state.rounds[-1], equivocators=(second.id,))
    votes = votes_of(outcome_of(replace(state, rounds=(*state.rounds[:-1], closed))))
    assert votes[-1] == Vote(second.id, None, equivocated=True)
    assert len(votes) == 3


def test_a_result_is_asked_of_a_closed_case_alone():
    with pytest.raises(Refusal, match=r"^case: it is still open; `moot conflict watch` follows it$"):
        result_of(Trial.of().state)
    with pytest.raises(Refusal, match=r"^case: it was not opened yet$"):
        _ = NO_CASE.opened


def test_every_voter_of_every_level_is_scored_against_the_final_outcome():
    trial = Trial.of()
    trial.decide("p1")
    below = {seat.voter for seat in trial.state.sitting.panel}
    trial.appeal("bob")
    trial.settle()
    trial.decide("p2")
    above = {seat.voter for seat in trial.state.sitting.panel}
    trial.end()
    outcome = trial.state.outcome
    assert isinstance(outcome, Resolved)
    assert {score.voter: score.right for score in outcome.scores} == {
        **dict.fromkeys(below, False),
        **dict.fromkeys(above, True),
    }
    assert all(isinstance(score, Score) for score in outcome.scores)
    assert isinstance(trial.state.heard[0], PanelHeard)
    assert outcome.reasons[0] == "level 2: appeal: bob: it overlooks the log"
