"""The read model of models: a row that says what the domain says, from any stored row on."""

import json
from datetime import timedelta

from domain.learning.policy import DataSelector, TrainerSpec
from domain.learning.versions import decide
from domain.learning.versions.commands import SetDriftPolicy
from domain.learning.versions.policy import DriftPolicy, EvaluateOn
from domain.learning.versions.state import NO_MODEL, fold_all
from eventlog.codec import decode, encode
from projections.model import MODEL, ModelProjection
from projections.tables import STAMPS
from tests.unit.domain.learning.versions.story import AT, Story, found, publication

PROJECTION = ModelProjection()
COLUMNS = [column.name for column in MODEL.columns][STAMPS:]


def log():
    """A story as it is read from the log, every kind of step in it."""
    story, told = Story(), []

    class Told(Story):
        def take(self, decision, command):
            told.extend(self.draft.events(decision(self.state, command), AT + timedelta(hours=len(told))))
            self.state = fold_all(NO_MODEL, told)

    story = Told()
    on = EvaluateOn(TrainerSpec("logistic_regression", {"classes": 10, "bias": True}), DataSelector("digits"))
    story.publish("c1")
    story.take(decide.set_drift_policy, SetDriftPolicy(DriftPolicy("roll_back"), "agreed", "ann"))
    story.take(decide.publish, publication("c2", "v1.0", canary=0.5, evaluation=on))
    story.judge("v1.1", found(0.9))
    story.observe("o1", 0.1, 0.2)
    story.back()
    story.publish("c3", "v1.1", canary=0.5)
    return [decode(encode(event)) for event in told]


def test_a_model_is_folded_to_what_the_domain_says_from_any_stored_row_on():
    state = None
    for event in log():
        state = PROJECTION.fold(PROJECTION.state(PROJECTION.row(state)) if state else None, event)
    assert state.inner == fold_all(NO_MODEL, log())
    assert not PROJECTION.settled(state)
    assert list(PROJECTION.adds(state, log()[0])) == []


def test_a_row_tells_who_serves_and_who_is_tried():
    state = None
    for event in log():
        state = PROJECTION.fold(state, event)
    row = dict(zip(COLUMNS, PROJECTION.row(state), strict=True))
    assert (row["active"], row["canary"], row["versions"], row["drifts"]) == ("v1.0", "v1.2", 3, 0)
    assert row["changed_at"] == log()[-1].time
    assert json.loads(row["state"])["standing"]["v1.1"]["by"] == "ann"
