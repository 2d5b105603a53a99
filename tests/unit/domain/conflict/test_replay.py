"""A recorded case is decided again: what was forged is named by its first event."""

from dataclasses import replace

import pytest
from hypothesis import given as forall

from domain.conflict.deliberations import level_question
from domain.conflict.events import PanelHeard, Resolved
from domain.conflict.replay import hearings, misheard, replay
from tests.unit.domain.conflict.given import Trial, held, trials
from tests.unit.drawing import examples


def settled():
    trial = Trial.of()
    trial.decide("p1")
    trial.end()
    return trial


@examples(20)
@forall(trials())
def test_every_case_that_the_domain_writes_agrees_with_itself(trial):
    state, divergence = replay(trial.log)
    assert divergence is None
    assert state == trial.state


def test_forged_scores_are_named():
    log = settled().log
    last = log[-1]
    assert isinstance(last.data, Resolved)
    forged = replace(last, data=replace(last.data, scores=last.data.scores[1:]))
    _, divergence = replay([*log[:-1], forged])
    assert divergence.event_id == last.id
    assert divergence.problem == "scores: others follow from the votes that were recorded"


def test_an_event_that_does_not_follow_is_named():
    log = settled().log
    _, divergence = replay([*log[:-2], replace(log[-1], version=log[-1].version - 1)])
    assert (divergence.event_id, divergence.version) == (log[-1].id, log[-1].version - 1)


def heard_by_a_panel():
    trial = Trial.of()
    trial.begin()
    outcome = held(level_question(trial.state, trial.members), trial.now)
    trial.deliberate()
    ((event, before),) = hearings(trial.log)
    return event, before, outcome


def test_what_a_panel_decided_is_held_against_what_its_case_recorded():
    event, before, outcome = heard_by_a_panel()
    assert isinstance(event.data, PanelHeard)
    assert misheard(event, before, outcome) is None
    worded = replace(event, data=replace(event.data, reason="in other words"))
    assert misheard(worded, before, outcome) is None
    turned = replace(event, data=replace(event.data, choice="p2"))
    assert misheard(turned, before, outcome).problem == "consensus/c1-level-2 tells it otherwise"
    other = misheard(event, before, replace(outcome, panel=outcome.panel[1:]))
    assert other.problem.endswith("was held by another panel than the case drew")


def test_an_annulment_is_held_against_its_three_too():
    trial = Trial.of(level=4)
    trial.decide("p1")
    trial.annul("bob")
    trial.deliberate(**trial.everyone("stand"))
    assert [event.type for event, _ in hearings(trial.log)] == [
        "conflict.panel_heard.v1",
        "conflict.annulment_decided.v1",
    ]


def test_only_what_panels_decided_is_compared():
    event, before, outcome = heard_by_a_panel()
    with pytest.raises(TypeError, match="tells of no panel"):
        misheard(replace(event, data=Trial.of().log[0].data), before, outcome)
