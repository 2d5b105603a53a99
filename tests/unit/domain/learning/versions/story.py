"""Models to tell stories with: commands in, events on a stream, the state that they fold to."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from domain.artifact import ArtifactRef
from domain.learning.trainer import Evaluation
from domain.learning.versions import decide
from domain.learning.versions.commands import JudgeCanary, Observe, PublishVersion, RollBack
from domain.learning.versions.policy import HostEvaluation
from domain.learning.versions.state import NO_MODEL, fold_all
from domain.stream import Draft

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
STREAM = "model/digits"


def ref(name="a"):
    return ArtifactRef(f"memory://{name}", name[0] * 64, 7)


def publication(cycle="c1", parent=None, **changes):
    said = {
        "cycle": cycle,
        "artifact": ref(),
        "digest": f"digest of {cycle}",
        "parent": parent,
        "participants": 4,
        "lineage": ref("b"),
        "loss": 0.5,
        "accuracy": 0.9,
        "canary": 0.0,
        "tolerance": 0.05,
        "seed": 7,
    }
    return PublishVersion(**said | changes)


def found(canary, former=1.0, host="h1", samples=10):
    return HostEvaluation(host, Evaluation(canary, None, samples), Evaluation(former, None, samples))


@dataclass
class Story:
    state: object = NO_MODEL
    draft: Draft = field(default_factory=lambda: Draft(STREAM, "test", STREAM, "run"))

    def take(self, decision, command):
        """The names of the events that followed."""
        events = self.draft.events(decision(self.state, command), AT)
        self.state = fold_all(self.state, events)
        return [event.type.split(".")[1] for event in events]

    def publish(self, cycle, parent=None, **changes):
        return self.take(decide.publish, publication(cycle, parent, **changes))

    def judge(self, version, *results, **changes):
        return self.take(decide.judge, JudgeCanary(version, results, **changes))

    def back(self, to=None, reason="it is worse", person="ann"):
        return self.take(decide.roll_back, RollBack(reason, person, to))

    def observe(self, id_, *losses, version=None):
        return self.take(decide.observe, Observe(id_, losses, version))

    def status(self, version):
        return self.state.standing[version].status


def three():
    """v1.0, v1.1 and v1.2, which serves."""
    story = Story()
    story.publish("c1")
    story.publish("c2", "v1.0")
    story.publish("c3", "v1.1")
    return story
