"""What can happen to a model's versions. Stored names: change none without an upcaster."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from domain.artifact import ArtifactRef
from domain.learning.versions.lineage import LineageDigests
from domain.learning.versions.policy import DriftPolicy, EvaluateOn, HostEvaluation, Then

Authority = Literal["policy", "person"]


@dataclass(frozen=True, slots=True)
class VersionPublished:
    """A cycle's model became a version; it serves nobody yet. `digests` are those of `lineage`'s parts."""

    TYPE: ClassVar[str] = "learning.version_published.v1"
    version: str
    cycle: str
    artifact: ArtifactRef
    digest: str
    parent: str | None
    participants: int
    lineage: ArtifactRef
    digests: LineageDigests | None
    loss: float | None
    accuracy: float | None
    evaluation: EvaluateOn | None


@dataclass(frozen=True, slots=True)
class CanaryStarted:
    """A `share` of the nodes serve `version`, the others `against`; who does is drawn by `seed`."""

    TYPE: ClassVar[str] = "learning.canary_started.v1"
    version: str
    against: str
    share: float
    tolerance: float
    seed: int


@dataclass(frozen=True, slots=True)
class Unheard:
    """A host that was asked to evaluate and did not, and why."""

    host: str
    reason: str


@dataclass(frozen=True, slots=True)
class CanaryEvaluated:
    """What hosts found of a canary and of the version it is held against."""

    TYPE: ClassVar[str] = "learning.canary_evaluated.v1"
    version: str
    results: tuple[HostEvaluation, ...]
    unheard: tuple[Unheard, ...] = ()


@dataclass(frozen=True, slots=True)
class Promoted:
    """`version` serves every node from here on, in place of `former`. `by`: the person, if one decided."""

    TYPE: ClassVar[str] = "learning.promoted.v1"
    version: str
    former: str | None
    authority: Authority
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class RolledBack:
    """`version`, a canary or the one that served, was taken back; `to` serves in its place."""

    TYPE: ClassVar[str] = "learning.rolled_back.v1"
    version: str
    to: str
    authority: Authority
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class Observed:
    """Losses of the version that serves, in the order they were seen. `id` makes a repeat the same."""

    TYPE: ClassVar[str] = "learning.observed.v1"
    id: str
    version: str
    losses: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class DriftDetected:
    """The observed loss rose from a mean of `before` to one of `after`.

    `newest`: how many losses came after that was seen; only they count from here on. `then`: what follows;
    `reason` where that is less than the policy asks for.
    """

    TYPE: ClassVar[str] = "learning.drift_detected.v1"
    version: str
    before: float
    after: float
    newest: int
    delta: float
    then: Then
    reason: str = ""


@dataclass(frozen=True, slots=True)
class DriftPolicySet:
    """A person said what is to follow from a drift."""

    TYPE: ClassVar[str] = "learning.drift_policy_set.v1"
    policy: DriftPolicy
    by: str
    reason: str


ModelEvent = (
    VersionPublished
    | CanaryStarted
    | CanaryEvaluated
    | Promoted
    | RolledBack
    | Observed
    | DriftDetected
    | DriftPolicySet
)
EVENTS: tuple[type[ModelEvent], ...] = (
    VersionPublished,
    CanaryStarted,
    CanaryEvaluated,
    Promoted,
    RolledBack,
    Observed,
    DriftDetected,
    DriftPolicySet,
)
