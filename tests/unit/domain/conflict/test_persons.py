"""Critical cases wait for a person, with reminders, a deadline, and what was said to follow it."""

from datetime import timedelta

import pytest

from domain.conflict.commands import GiveVerdict
from domain.conflict.decide import AwaitPerson, next_step
from domain.conflict.events import (
    DeadlinePassed,
    PersonAsked,
    Reminded,
    Resolved,
    Ruled,
    Unresolved,
    VerdictGiven,
)
from domain.conflict.persons import (
    NotImpartial,
    NoVerdictAwaited,
    deadline,
    due_reminders,
    give_verdict,
    next_wake,
    wake,
)
from domain.conflict.result import result_of
from domain.conflict.state import NO_CASE
from domain.refusal import Refusal
from tests.unit.domain.conflict.given import AT, Trial

POLICY = {"person_seconds": 1_000.0, "reminder_seconds": 100.0}


def waiting(choice="p1", opinion=None, *, critical=True, members=None, **policy):
    trial = Trial.of(members, critical=critical, level=4, policy={**POLICY, **policy})
    trial.decide(choice, opinion)
    return trial


def seconds(at):
    return (at - AT).total_seconds()


def test_a_critical_case_is_not_ruled_by_its_court_alone():
    trial = waiting()
    assert trial.log[-1].data == PersonAsked("the case is critical")
    assert trial.state.rulings == ()
    assert next_step(trial.state) == AwaitPerson(AT + timedelta(seconds=100))


def test_the_person_s_verdict_is_the_ruling():
    trial = waiting("p1")
    assert trial.rule("p2") == [VerdictGiven("Pat", "p2", "on reflection")]
    assert trial.settle() == [Ruled(4, 2, "p2", "seven beds", "person", "on reflection")]
    trial.end()
    result = result_of(trial.state)
    assert (result.resolution, result.authority, result.final_authority) == ("seven beds", "person", True)


def test_a_verdict_repeated_writes_nothing_and_another_is_refused():
    trial = waiting()
    trial.rule("p2")
    assert give_verdict(trial.state, GiveVerdict("p2", "on reflection", "Pat")) == []
    with pytest.raises(NoVerdictAwaited, match=r"^verdict: no person is asked now"):
        give_verdict(trial.state, GiveVerdict("p1", "on reflection", "Pat"))


def test_a_verdict_is_among_the_positions():
    with pytest.raises(Refusal, match=r"^verdict: 'p9' is no position of the case; choose p1, p2$"):
        give_verdict(waiting().state, GiveVerdict("p9", "r", "Pat"))


def test_a_party_and_a_member_of_the_court_are_no_judges_of_it():
    trial = waiting()
    for person in ("ann", trial.state.sitting.panel[0].voter):
        with pytest.raises(NotImpartial, match=rf"^person: {person} is a party to the case or sat in it$"):
            give_verdict(trial.state, GiveVerdict("p1", "r", person))


def test_reminders_come_after_waits_that_double():
    trial = waiting(after_deadline="hold")
    told = []
    for _ in range(6):
        wake_at = next_wake(trial.state)
        told.append(seconds(wake_at))
        assert wake(trial.state, wake_at - timedelta(microseconds=1)) == []
        trial.now = wake_at
        trial.wake()
    assert told == [100, 200, 400, 800, 1_000, 1_600]
    assert trial.state.reminders == 5
    assert trial.state.deadline_passed
    assert trial.rule("p1"), "hold goes on waiting"


def test_what_fell_due_while_nobody_looked_is_told_once():
    trial = waiting().later(999)
    assert trial.wake() == [Reminded(4)]
    assert trial.wake() == []
    trial.later(1)
    assert trial.wake() == [DeadlinePassed("hold")]
    assert trial.wake() == []
    late = waiting().later(1_000)
    assert late.wake() == [Reminded(4), DeadlinePassed("hold")]


def test_a_century_of_waiting_is_few_reminders():
    trial = waiting(reminder_seconds=1.0).later(3_155_760_000)
    assert due_reminders(trial.state, trial.now) == 32


def test_uphold_lets_the_court_s_choice_stand():
    trial = waiting("p2", after_deadline="uphold").later(1_000)
    trial.wake()
    (ruled,) = trial.settle()
    assert (ruled.choice, ruled.authority, ruled.level) == ("p2", "consensus", 4)
    assert ruled.reason.startswith("no person ruled by the deadline; the ruling of level 4 is upheld: ")


def test_uphold_lets_the_mediator_s_choice_stand_where_the_court_has_none():
    trial = waiting("mauve", "p2", after_deadline="uphold").later(1_000)
    trial.wake()
    (ruled,) = trial.settle()
    assert (ruled.choice, ruled.authority) == ("p2", "mediator")


def test_uphold_falls_back_to_the_ruling_of_the_level_below_and_covers_what_that_heard():
    trial = Trial.of(level=3, policy={**POLICY, "ask_person": "undecided", "after_deadline": "uphold"})
    trial.decide("p1")
    trial.appeal("bob")
    trial.settle()
    trial.decide("mauve")
    assert trial.log[-1].data == PersonAsked("neither the court nor the mediator decided")
    trial.later(1_000).wake()
    (ruled,) = trial.settle()
    assert (ruled.level, ruled.choice, ruled.heard) == (4, "p1", 2)
    assert "the ruling of level 3 is upheld" in ruled.reason
    trial.end()
    assert isinstance(trial.state.outcome, Resolved)


@pytest.mark.parametrize(
    ("after", "says"),
    [
        ("uphold", "level 4: no verdict: no person ruled by the deadline; there is no ruling to uphold"),
        ("unresolved", "level 4: no verdict: no person ruled by the deadline"),
    ],
)
def test_without_anything_to_uphold_the_case_is_unresolved(after, says):
    trial = waiting("mauve", after_deadline=after).later(1_000)
    trial.wake()
    (outcome,) = trial.settle()
    assert isinstance(outcome, Unresolved)
    assert outcome.reason == f"Conflict resolution failed at all levels: {says}"


def test_the_policy_unresolved_ends_even_a_case_whose_court_agreed():
    trial = waiting("p1", after_deadline="unresolved").later(1_000)
    trial.wake()
    assert isinstance(trial.settle()[0], Unresolved)


def test_who_waits_for_no_person_has_no_deadline():
    assert (deadline(NO_CASE), next_wake(NO_CASE), due_reminders(NO_CASE, AT)) == (None, None, 0)
    assert wake(NO_CASE, AT) == []
