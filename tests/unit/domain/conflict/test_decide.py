"""What a case needs next is read off its state, phase by phase."""

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.conflict import hearing
from domain.conflict.decide import (
    ApplyRule,
    AskMediator,
    AwaitAnnulment,
    AwaitAppeal,
    AwaitPerson,
    BeginLevel,
    Closed,
    HearAnnulment,
    HoldDeliberation,
    Settle,
    next_step,
)
from domain.conflict.settle import settle
from domain.conflict.state import NO_CASE
from tests.unit.domain.conflict.given import AT, Trial


def after(seconds):
    return AT + timedelta(seconds=seconds)


def test_a_case_from_level_1_to_a_stand_below_4():
    trial = Trial.of(level=1)
    assert next_step(trial.state) == BeginLevel(1)
    trial.begin()
    assert next_step(trial.state) == ApplyRule("semantic_merge")
    trial.apply("p1")
    assert next_step(trial.state) == Settle()
    trial.settle()
    assert next_step(trial.state) == AwaitAppeal(after(3_600))
    trial.appeal("bob")
    assert next_step(trial.state) == Settle()
    trial.settle()
    assert next_step(trial.state) == BeginLevel(2)
    trial.begin()
    assert next_step(trial.state) == HoldDeliberation(2, "consensus/c1-level-2")
    trial.deliberate()
    trial.settle()
    assert next_step(trial.state) == AwaitAppeal(after(86_400))
    trial.end()
    assert next_step(trial.state) == Closed()


def test_a_critical_case_from_its_court_to_its_annulment():
    trial = Trial.of(critical=True)
    trial.begin()
    trial.deliberate()
    assert next_step(trial.state) == AskMediator()
    trial.opine()
    assert next_step(trial.state) == Settle()
    trial.settle()
    assert next_step(trial.state) == AwaitPerson(after(86_400))
    trial.rule("p2")
    assert next_step(trial.state) == Settle()
    trial.settle()
    assert next_step(trial.state) == AwaitAnnulment(after(259_200))
    trial.annul("bob")
    assert next_step(trial.state) == HearAnnulment("consensus/c1-annulment-1")
    trial.deliberate(**trial.everyone("annul"))
    assert next_step(trial.state) == Settle()
    trial.settle()
    assert next_step(trial.state) == Closed()


def test_an_overdue_case_is_settled():
    trial = Trial.of(critical=True, policy={"after_deadline": "unresolved"})
    trial.decide("p1")
    trial.later(604_800).wake()
    assert next_step(trial.state) == Settle()


def test_before_the_opening_there_is_nothing_to_do():
    assert next_step(NO_CASE) == Closed()
    assert settle(NO_CASE, AT) == []
    assert NO_CASE.options == ()
    assert hearing.begin_level(NO_CASE, ()) == []


@pytest.mark.parametrize("phase", ["rule", "panel", "appealable", "person", "final", "limbo"])
def test_a_state_that_no_event_leads_to_is_never_taken_for_another(phase):
    with pytest.raises(AssertionError):
        next_step(replace(NO_CASE, phase=phase))


@pytest.mark.parametrize("phase", ["answered", "appealable"])
def test_nothing_is_settled_on_what_is_not_there(phase):
    state = replace(Trial.of().state, phase=phase)
    if phase == "answered":
        with pytest.raises(AssertionError, match="a case is answered by a verdict"):
            settle(state, AT)
    else:
        assert settle(state, AT) == []
