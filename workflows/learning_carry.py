"""What a cycle hands to its next run: its folded state in few bytes, since the log's stream just goes on."""

import base64
import zlib
from dataclasses import dataclass, fields

import msgspec
from temporalio import workflow

from activities.learning_tasks import Course
from domain.artifact import ArtifactRef
from domain.learning.commands import RunCycle
from domain.learning.policy import within
from domain.learning.state import NO_CYCLE, Cycle, fold_all
from domain.refusal import Refusal
from domain.stream import Draft
from workflows import names
from workflows.recording import Recording

MAX_STATE = 16 << 20
HISTORY = 2_000
"""Events after which a run hands over to the next, between two rounds."""


@dataclass(frozen=True, slots=True)
class Carried:
    """`state`: JSON, compressed (RFC 1950) and in base64. `session`, `more`: of the round that is open."""

    state: str
    course: Course
    session: ArtifactRef | None
    more: tuple[ArtifactRef, ...] = ()

    @property
    def sessions(self) -> tuple[ArtifactRef, ...]:
        return () if self.session is None else (self.session, *self.more)


@dataclass(frozen=True, slots=True)
class CycleInput(RunCycle):
    """A `RunCycle`. `carried` is what a run hands to the next one of the same cycle; leave it out.

    `history`: events after which it does so. It stands in the input, so that a run is taken again as it went,
    whatever the default is by then.
    """

    carried: Carried | None = None
    history: int = HISTORY

    def __post_init__(self) -> None:
        RunCycle.__post_init__(self)
        within("history", self.history, 10, 10_000)

    @property
    def request(self) -> RunCycle:
        """Without what is carried."""
        return RunCycle(**{one.name: getattr(self, one.name) for one in fields(RunCycle)})


def carrying(request: RunCycle, carried: Carried, history: int = HISTORY) -> CycleInput:
    """The input of the next run."""
    same = {one.name: getattr(request, one.name) for one in fields(RunCycle)}
    return CycleInput(**same, carried=carried, history=history)


def packed(state: Cycle, course: Course, sessions: tuple[ArtifactRef, ...]) -> Carried:
    """Ready to be carried."""
    raw = msgspec.json.encode(state, order="deterministic")
    first = sessions[0] if sessions else None
    return Carried(base64.b64encode(zlib.compress(raw, 9)).decode(), course, first, sessions[1:])


def unpacked(carried: Carried) -> Cycle:
    """The state again.

    Raises:
        Refusal: it is none; somebody made it by hand.
    """
    try:
        opening = zlib.decompressobj()
        raw = opening.decompress(base64.b64decode(carried.state, validate=True), MAX_STATE)
        state = msgspec.json.decode(raw, type=Cycle)
    except (ValueError, zlib.error, msgspec.MsgspecError):
        state = NO_CYCLE
    if state.opened is None:
        raise Refusal("carried", "is no state of a cycle; leave it out")
    return state


def taken_up(stream: str, carried: Carried) -> Recording[Cycle]:
    """The stream, to be gone on with by the run that was handed it.

    Raises:
        Refusal: as `unpacked`.
    """
    state, info = unpacked(carried), workflow.info()
    draft = Draft(
        stream,
        names.SOURCE,
        info.workflow_id,
        info.run_id,
        version=state.version,
        causation_id=state.last_event,
    )
    return Recording("learning", draft, state, fold_all)
