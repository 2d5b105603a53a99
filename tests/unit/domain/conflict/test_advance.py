"""What happened to a case is written with all that follows from it, and with nothing more."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import given as forall

from domain.conflict.advance import advance
from domain.conflict.decide import AwaitAnnulment, AwaitAppeal, BeginLevel, Settle, next_step
from domain.conflict.fold import fold_all
from domain.conflict.hearing import open_case
from domain.conflict.policy import ConflictPolicy
from domain.conflict.state import NO_CASE
from domain.stream import Draft
from tests.unit.domain.conflict.given import AT, CASE, Trial, crowd, trials
from tests.unit.drawing import examples


def opened(members, **changes):
    draft = Draft("conflict/c1", "test", "conflict/c1", "run")
    events = advance(NO_CASE, open_case(replace(CASE, **changes)), members, draft, AT)
    return [event.type.split(".")[1] for event in events], fold_all(NO_CASE, events)


def test_a_case_is_opened_together_with_the_level_that_begins():
    said, state = opened(crowd(), level=1)
    assert said == ["opened", "level_begun"]
    assert state.phase == "rule"


def test_levels_that_nobody_may_sit_on_are_passed_in_one_go():
    said, state = opened((), level=2)
    assert said == ["opened", "escalated", "escalated", "level_begun"]
    assert state.phase == "mediator"


def test_a_window_that_is_closed_at_once_ends_the_case_with_its_ruling():
    trial = Trial.of(policy={"regional_appeal_seconds": 0.0})
    trial.begin()
    trial.deliberate(**trial.everyone("p1"))
    draft = Draft("conflict/c1", "test", "conflict/c1", "run", len(trial.log))
    said = [event.type for event in advance(trial.state, [], trial.members, draft, trial.now)]
    assert said == ["conflict.ruled.v1", "conflict.resolved.v1"]
    assert ConflictPolicy().regional_appeal_seconds > 0


@examples(20)
@forall(trials())
def test_nothing_is_left_to_do_but_to_ask_or_to_wait(trial):
    draft = Draft("conflict/c1", "test", "conflict/c1", "run", len(trial.log))
    at = trial.now + timedelta(seconds=1)
    events = advance(trial.state, [], trial.members, draft, at)
    step = next_step(fold_all(trial.state, events))
    assert not isinstance(step, BeginLevel | Settle)
    assert not isinstance(step, AwaitAppeal | AwaitAnnulment) or step.until > at
    assert advance(fold_all(trial.state, events), [], trial.members, draft, at) == []
