"""What may be asked of a model's versions; each refuses what it cannot mean, field by field."""

from dataclasses import dataclass

from domain.artifact import ArtifactRef
from domain.learning.policy import MAX_SEED, within
from domain.learning.versions.events import Unheard
from domain.learning.versions.lineage import LineageDigests
from domain.learning.versions.policy import (
    MAX_HOSTS,
    WORST,
    DriftPolicy,
    EvaluateOn,
    HostEvaluation,
)
from domain.learning.versions.version_name import parsed
from domain.refusal import Refusal
from domain.stream import check_id

MAX_REASON = 2_000
MAX_OBSERVED = 1_000


def _said(**texts: str) -> None:
    for name, text in texts.items():
        if not text.strip():
            raise Refusal(name, "is empty; it goes on the record")
        within(f"{name} (characters)", len(text), 1, MAX_REASON)


@dataclass(frozen=True, slots=True)
class PublishVersion:
    """Make a cycle's model the next version. `evaluation`: without it nodes are not asked about a canary."""

    cycle: str
    artifact: ArtifactRef
    digest: str
    parent: str | None
    participants: int
    lineage: ArtifactRef
    loss: float | None
    accuracy: float | None
    canary: float
    tolerance: float
    seed: int
    digests: LineageDigests | None = None
    evaluation: EvaluateOn | None = None

    def __post_init__(self) -> None:
        within("canary", self.canary, 0, 1)
        within("tolerance", self.tolerance, 0, 100)
        within("seed", self.seed, 0, MAX_SEED)
        within("participants", self.participants, 0, 1e9)
        if self.parent is not None:
            parsed(self.parent, "parent")


@dataclass(frozen=True, slots=True)
class JudgeCanary:
    """What hosts found of the canary `version`; `unheard` are those that could not say."""

    version: str
    results: tuple[HostEvaluation, ...]
    unheard: tuple[Unheard, ...] = ()

    def __post_init__(self) -> None:
        parsed(self.version)
        within("results and unheard hosts", len(self.results) + len(self.unheard), 1, MAX_HOSTS)
        hosts = [one.host for one in self.results] + [one.host for one in self.unheard]
        if len(set(hosts)) < len(hosts):
            raise Refusal("results", "name a host twice")


@dataclass(frozen=True, slots=True)
class PromoteVersion:
    """A person lets `version` serve every node."""

    version: str
    reason: str
    person: str

    def __post_init__(self) -> None:
        parsed(self.version)
        _said(reason=self.reason, person=self.person)


@dataclass(frozen=True, slots=True)
class RollBack:
    """A person takes back the canary, or else the version that serves; `to`: which one shall serve."""

    reason: str
    person: str
    to: str | None = None

    def __post_init__(self) -> None:
        _said(reason=self.reason, person=self.person)
        if self.to is not None:
            parsed(self.to, "to")


@dataclass(frozen=True, slots=True)
class Observe:
    """Losses of the version that serves, oldest first. `id`: the same id again is the same observation."""

    id: str
    losses: tuple[float, ...]
    version: str | None = None

    def __post_init__(self) -> None:
        check_id(self.id)
        within("losses (how many)", len(self.losses), 1, MAX_OBSERVED)
        for loss in self.losses:
            within("losses", loss, -WORST, WORST)


@dataclass(frozen=True, slots=True)
class SetDriftPolicy:
    """A person says what is to follow from a drift."""

    policy: DriftPolicy
    reason: str
    person: str

    def __post_init__(self) -> None:
        _said(reason=self.reason, person=self.person)


@dataclass(frozen=True, slots=True)
class DriftFound:
    """What a detector found: a mean that rose from `before` to `after`, `newest` losses ago."""

    before: float
    after: float
    newest: int
