"""A model's versions taken again: what the policy is said to have decided and did not, is named."""

from dataclasses import replace

import pytest

from audit.replay import replay_stream
from audit.versions import VersionsReplay
from domain.learning.versions import decide
from domain.learning.versions import events as e
from domain.learning.versions.commands import DriftFound, PromoteVersion, SetDriftPolicy
from domain.learning.versions.events import Unheard
from domain.learning.versions.policy import DriftPolicy
from domain.learning.versions.state import fold_all
from eventlog.codec import decode, encode
from tests.fakes.log_reader import MemoryReader
from tests.unit.domain.learning.versions.story import AT, STREAM, Story, found


class Kept(Story):
    """A story whose events are kept, as the log gives them back."""

    def __init__(self):
        super().__init__()
        self.log = []

    def take(self, decision, command):
        events = self.draft.events(decision(self.state, command), AT)
        self.log += [decode(encode(event)) for event in events]
        self.state = fold_all(self.state, events)
        return [event.type.split(".")[1] for event in events]


def told():
    """Canaries judged both ways, taken back, superseded; drifts; persons in between."""
    story = Kept()
    story.publish("c1")
    story.publish("c2", "v1.0", canary=0.3, seed=9, tolerance=0.1)
    story.judge("v1.1", found(0.5), found(2.0, host="h2", samples=3))
    story.publish("c3", "v1.1", canary=0.5)
    story.judge("v1.2", unheard=(Unheard("h1", "away"),))
    story.judge("v1.2", found(9.0))
    story.publish("c4", canary=0.5)
    story.publish("c5", "v1.0")
    story.publish("c6", "v1.0", canary=0.5)
    story.back()
    story.take(decide.promote, PromoteVersion("v1.1", "it was better", "ann"))
    story.take(decide.set_drift_policy, SetDriftPolicy(DriftPolicy("roll_back"), "it drifts", "ann"))
    story.observe("o1", *[0.1] * 6, *[0.9] * 4)
    story.take(decide.record_drift, DriftFound(0.1, 0.9, 4))
    return story.log


def replayed(events):
    replay = VersionsReplay()
    for event in events:
        replay.take(event)
    return replay


def changed(kind, number=0, **changes):
    """With the n-th event of that kind saying otherwise; its id."""
    events = told()
    place = [n for n, event in enumerate(events) if isinstance(event.data, kind)][number]
    events[place] = replace(events[place], data=replace(events[place].data, **changes))
    return events, events[place].id


def without(events, place):
    """As a forger leaves them who counts the versions anew."""
    left = [*events[:place], *events[place + 1 :]]
    return [replace(event, version=number) for number, event in enumerate(left, start=1)]


async def test_versions_that_are_as_recorded_agree():
    reader = MemoryReader()
    reader.append(told(), "learning")
    found_ = await replay_stream(reader, STREAM)
    assert (found_.divergent, found_.undecided) == ([], 0)
    assert (found_.unending.versions, list(found_.unending.models)) == (6, [STREAM])


@pytest.mark.parametrize(
    ("kind", "number", "changes", "problem"),
    [
        (e.VersionPublished, 0, {"version": "v7.0"}, "data: VersionPublished(version='v7.0'"),
        (e.CanaryStarted, 0, {"against": "v9.9"}, "data: v9.9 does not serve"),
        (e.Promoted, 1, {"reason": "it pleased"}, "data: Promoted(version='v1.1', former='v1.0', auth"),
        (e.Promoted, 1, {"authority": "person", "by": "mallory"}, "data: Promoted(version='v1.1'"),
        (e.RolledBack, 0, {"authority": "person", "by": "mallory"}, "data: RolledBack(version='v1.2'"),
        (e.CanaryEvaluated, 0, {"results": (found(9.0),)}, "data: Promoted(version='v1.1'"),
        (e.DriftDetected, 0, {"then": "say"}, "data: DriftDetected("),
        (e.DriftDetected, 0, {"after": 0.01}, "data: nothing is to be said"),
    ],
)
def test_what_does_not_follow_is_named(kind, number, changes, problem):
    events, event = changed(kind, number, **changes)
    said = replayed(events).divergent
    assert len(said) == 1
    assert said[0].problem.startswith(problem)
    if kind is not e.CanaryEvaluated:
        assert said[0].event_id == event


def test_a_promotion_by_a_policy_that_nothing_led_to_is_named():
    events = told()
    place = next(
        n for n, one in enumerate(events) if isinstance(one.data, e.Promoted) and one.data.by == "ann"
    )
    events[place] = replace(events[place], data=replace(events[place].data, authority="policy"))
    (said,) = replayed(events).divergent
    assert said.problem.startswith("authority: no event before it makes the policy say: Promoted(")
    assert said.event_id == events[place].id


def test_an_event_that_was_cut_out_is_named_at_the_next():
    events = told()
    for place, event in enumerate(events[:-1]):
        if isinstance(event.data, e.CanaryEvaluated) and not event.data.results:
            continue  # nothing followed from it
        if isinstance(event.data, e.DriftPolicySet | e.Observed | e.RolledBack | e.Promoted):
            continue  # of those that persons decided, only the history tells
        assert replayed(without(events, place)).divergent, event.type


def test_a_log_that_ends_between_an_event_and_what_follows_from_it_agrees():
    """The reading of a log ends somewhere."""
    events = told()
    for end in range(1, len(events)):
        assert replayed(events[:end]).divergent == []
