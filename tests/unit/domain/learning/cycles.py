"""A small cycle to begin from: four clients, two rounds, and what its events are made of."""

from copy import copy
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from domain.artifact import ArtifactRef
from domain.learning import decide
from domain.learning.attempt import Drawn, NewModel
from domain.learning.commands import RunCycle
from domain.learning.events import CycleOpened, Loss, Member, PrivacyMetadata, Report
from domain.learning.policy import CohortPolicy, TrainerSpec
from domain.learning.state import NO_CYCLE, fold_all
from domain.learning.tensors import TensorSpec
from domain.stream import Draft

AT = datetime(2026, 11, 22, tzinfo=UTC)
STREAM = "learning/c"
MEMBERS = tuple(Member(name, "h", "eu") for name in "abcd")
REQUEST = RunCycle(
    "c",
    "m",
    TrainerSpec("logistic-regression"),
    rounds=2,
    cohort=CohortPolicy(share=1, minimum=2, attempts=2),
)
SCHEMA = (TensorSpec("w", "context_patterns", (2,)),)


def ref(text, size=10):
    return ArtifactRef(f"memory://{text}", text * 64, size)


OPENING = CycleOpened(REQUEST, AT - timedelta(days=7), AT, SCHEMA, ref("0"), None, "code", "")
DRAWN = Drawn(ref("f"), 4, MEMBERS)


def report(client, level="none", **more):
    made = Report(client, client * 64, 100, 5, 2, 2, 0.5, 400, level)
    return replace(made, **more)


def lost(client, why="late"):
    return Loss(client, why)


def new_model(name="1", excluded=(), **more):
    made = NewModel(excluded, ref(name), name * 64, None, 0.4, 0.9, 0.1, PrivacyMetadata("none"))
    return replace(made, **more)


class Cycle:
    """Given events, when decisions are taken, then these events; `state` is the fold of all."""

    def __init__(self):
        self.state = NO_CYCLE
        self._draft = Draft(STREAM, "test", STREAM, "run")

    def when(self, events):
        """Fold what was decided; what was decided."""
        events = [*events]
        draft = copy(self._draft)
        self.state = fold_all(self.state, draft.events(events, AT))
        self._draft = draft
        return events

    def opened(self, opening=OPENING, drawn=DRAWN):
        self.when(decide.open_cycle(self.state, opening))
        return self.round(drawn)

    def round(self, drawn=DRAWN):
        self.when(decide.open_round(self.state, drawn))
        return self

    def heard(self, *told):
        reports = [one for one in told if isinstance(one, Report)]
        opened = self.state.round
        self.when(
            decide.collect(
                self.state,
                opened.round,
                opened.attempt,
                reports,
                [one for one in told if isinstance(one, Loss)],
            )
        )
        return self

    def aggregated(self, new=None):
        opened = self.state.round
        number = str(opened.round)
        self.when(decide.aggregated(self.state, opened.round, opened.attempt, new or new_model(number)))
        return self
