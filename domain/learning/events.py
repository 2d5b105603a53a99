"""What can happen in a learning cycle. Stored names: change none without an upcaster."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Literal

from domain.artifact import ArtifactRef
from domain.learning.commands import RunCycle
from domain.learning.privacy_level import PrivacyLevel
from domain.learning.tensors import TensorSpec

Lost = Literal["late", "failed", "refused", "unreachable"]


@dataclass(frozen=True, slots=True)
class Member:
    """A client in a cohort. `host`: the node process that trains it, on its task queue `node.<host>`."""

    client: str
    host: str
    region: str


@dataclass(frozen=True, slots=True)
class Report:
    """One client's update, by the digest of its stored bytes.

    `samples`: rows it trained on. `steps`: of how many of `planned`; fewer where partial work was kept.
    `loss`: mean over its rows, of the model it was given; null where the privacy method keeps it on the node.
    `raw_bytes`: what those rows weigh. `group`: of a clustered model.
    """

    client: str
    sha256: str
    bytes: int
    samples: int
    steps: int
    planned: int
    loss: float | None
    raw_bytes: int
    level: PrivacyLevel
    group: int = 0


@dataclass(frozen=True, slots=True)
class Loss:
    """A client that was asked and whose update did not come in, and why."""

    client: str
    why: Lost
    reason: str = ""


@dataclass(frozen=True, slots=True)
class CycleOpened:
    """A cycle began: everything its model depends on is frozen here.

    `since`, `until`: rows of this time train. `model`: where it begins, `parent` of which version (null:
    fresh). `code`: digest of the trainer's source; `data_schema`: of the names and types of rows.
    """

    TYPE: ClassVar[str] = "learning.cycle_opened.v1"
    request: RunCycle
    since: datetime
    until: datetime
    schema: tuple[TensorSpec, ...]
    model: ArtifactRef
    parent: str | None
    code: str
    data_schema: str


@dataclass(frozen=True, slots=True)
class RoundOpened:
    """A cohort was drawn from the eligible clients of `roster`, as it was read, and asked to train `model`.

    `eligible`: how many there were. `seed` of the draw follows from the cycle's, the round and the attempt.
    """

    TYPE: ClassVar[str] = "learning.round_opened.v1"
    round: int
    attempt: int
    roster: ArtifactRef
    eligible: int
    cohort: tuple[Member, ...]
    model: ArtifactRef


@dataclass(frozen=True, slots=True)
class UpdatesCollected:
    """What came in from a part of the cohort; a client reports once a round and attempt."""

    TYPE: ClassVar[str] = "learning.updates_collected.v1"
    round: int
    attempt: int
    reports: tuple[Report, ...]
    lost: tuple[Loss, ...] = ()


@dataclass(frozen=True, slots=True)
class RoundAbandoned:
    """Too few reported: nothing of this attempt enters a model."""

    TYPE: ClassVar[str] = "learning.round_abandoned.v1"
    round: int
    attempt: int
    reported: int
    minimum: int
    reason: str


@dataclass(frozen=True, slots=True)
class PrivacyMetadata:
    """What the accountant says, for the whole schedule so far.

    `utility_preserved`: 1 - (noise energy / (noise energy + signal energy)) of the last release, or null.
    `clip`: the norm that the next round's updates are clipped to, where clipping is adaptive.
    """

    method: str
    epsilon: float | None = None
    delta: float | None = None
    utility_preserved: float | None = None
    clip: float | None = None


@dataclass(frozen=True, slots=True)
class RoundAggregated:
    """The updates of a round became a model.

    `rule`: the strategy. `clients`: how many updates entered. `entered`: SHA-256 over their sorted digests.
    `excluded`: clients that reported and whose update did not enter. `state`: the strategy's own, for the
    next round. `drift`: L2 distance from the last model over that model's norm. `sent_bytes` against
    `raw_bytes`: what travelled, and what the rows would have weighed. `evidence`: what a secure sum leaves
    behind for an audit.
    """

    TYPE: ClassVar[str] = "learning.round_aggregated.v1"
    round: int
    attempt: int
    rule: str
    entered: str
    clients: int
    excluded: tuple[str, ...]
    model: ArtifactRef
    digest: str
    state: ArtifactRef | None
    loss: float | None
    accuracy: float | None
    drift: float
    sent_bytes: int
    raw_bytes: int
    privacy: PrivacyMetadata
    evidence: ArtifactRef | None = None


@dataclass(frozen=True, slots=True)
class CycleClosed:
    """The cycle ended with a model; `version` is what it was published as."""

    TYPE: ClassVar[str] = "learning.cycle_closed.v1"
    version: str
    digest: str
    participants: int
    insights_aggregated: int
    privacy_level: PrivacyLevel
    rounds: int


@dataclass(frozen=True, slots=True)
class CycleFailed:
    """The cycle ended without a model: a round was abandoned for the last time, or a budget forbade it."""

    TYPE: ClassVar[str] = "learning.cycle_failed.v1"
    round: int
    reason: str


@dataclass(frozen=True, slots=True)
class CycleWithdrawn:
    """The cycle was taken back before its end; no version follows."""

    TYPE: ClassVar[str] = "learning.cycle_withdrawn.v1"
    authority: Literal["temporal"]
    reason: str
    rounds: int


CycleEvent = (
    CycleOpened
    | RoundOpened
    | UpdatesCollected
    | RoundAbandoned
    | RoundAggregated
    | CycleClosed
    | CycleFailed
    | CycleWithdrawn
)
EVENTS: tuple[type[CycleEvent], ...] = (
    CycleOpened,
    RoundOpened,
    UpdatesCollected,
    RoundAbandoned,
    RoundAggregated,
    CycleClosed,
    CycleFailed,
    CycleWithdrawn,
)
