"""The rules of a cycle, frozen into its opening event."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from domain.learning.tensors import GROUPS
from domain.refusal import Refusal
from domain.stream import check_id

MethodName = str
"""One of `METHODS`; another is refused as `Unknown privacy method: X`."""
METHODS = ("none", "differential_privacy", "secure_mpc", "homomorphic_encryption", "hybrid")
HIDING = ("secure_mpc", "homomorphic_encryption", "hybrid")
"""Under these the aggregator sees sums, and no update."""
NOISED = ("differential_privacy", "hybrid")
Clipping = Literal["flat", "per_tensor", "adaptive"]
Place = Literal["central", "local"]
Sampling = Literal["public", "secret"]
Setting = float | int | str | bool

MAX_ROUNDS = 1_000
MAX_COHORT = 10_000
MAX_SECONDS = 7 * 86_400.0
MAX_SEED = 2**53 - 1
MAX_DAYS = 36_500
_SECONDS = 86_400


def within(name: str, value: float, low: float, high: float, *, above: bool = False) -> None:
    """Refuse a number outside `low` to `high`; `above`: `low` itself is too low. NaN is always refused."""
    if not (low < value <= high if above else low <= value <= high):
        raise Refusal(name, f"{value:g} is outside {'above ' if above else ''}{low:g} to {high:g}")


@dataclass(frozen=True, slots=True)
class CohortPolicy:
    """Who may be asked, and how many.

    `share`: a round asks less than this share of the eligible clients; 1 allows all of them. `minimum`:
    reports that a round needs, and so the least cohort. `size`: how many are drawn; by default three for
    every two reports needed, as far as the share allows. `quality`: the least that a client's data may have,
    0 to 1. `network_mbps`: the slowest link, in Mbit/s. A client that says that it is not charging, or that
    its link is metered, is not asked. `attempts`: how often a round is tried, each time with a cohort anew.
    """

    share: float = 0.01
    minimum: int = 100
    size: int | None = None
    quality: float = 0.5
    network_mbps: float = 1.0
    regions: tuple[str, ...] = ()
    attempts: int = 3

    def __post_init__(self) -> None:
        within("share", self.share, 0, 1, above=True)
        within("minimum", self.minimum, 1, MAX_COHORT)
        if self.size is not None:
            within("size", self.size, 1, MAX_COHORT)
            if self.size < self.minimum:
                raise Refusal(
                    "size",
                    f"{self.size} clients cannot give {self.minimum} reports; raise it, or lower minimum",
                )
        within("quality", self.quality, 0, 1)
        within("network_mbps", self.network_mbps, 0, 1e6)
        for region in self.regions:
            check_id(region, "regions")
        within("attempts", self.attempts, 1, 20)


@dataclass(frozen=True, slots=True)
class DataSelector:
    """Which rows train. `name`: the data set that nodes offer. `days`: how old rows may be at the start."""

    name: str = "default"
    days: float = 7.0

    def __post_init__(self) -> None:
        within("days", self.days, 0, MAX_DAYS, above=True)
        if self.days < 1 / _SECONDS:
            raise Refusal("days", f"{self.days:g} is less than a second; the least is 1/{_SECONDS:,}")


@dataclass(frozen=True, slots=True)
class TrainerSpec:
    """A trainer by name, and what it is told, the same on every node."""

    name: str
    settings: Mapping[str, Setting] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LocalTraining:
    """How a node trains.

    `epochs`: how often it goes over its rows. `batch`: rows a step; 0 takes all at once. `learning_rate`: the
    length of a step, times the gradient. `seconds`: the round's deadline; who has not reported by then is
    dropped. `partial`: instead of being dropped, a client reports what it has reached by then.
    """

    epochs: int = 1
    batch: int = 10
    learning_rate: float = 0.1
    seconds: float = 1_800.0
    partial: bool = False

    def __post_init__(self) -> None:
        within("epochs", self.epochs, 1, 10_000)
        within("batch", self.batch, 0, 1e9)
        within("learning_rate", self.learning_rate, 0, 1e6, above=True)
        within("seconds", self.seconds, 0, MAX_SECONDS, above=True)


@dataclass(frozen=True, slots=True)
class StrategySpec:
    """An aggregation strategy by name, with settings of its own (`domain.learning.strategies`)."""

    name: str = "fedavg"
    settings: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PrivacySpec:
    """A privacy method by name and what it is told.

    `epsilon`: for the whole cycle; a mapping gives each of the three groups its own. `delta`: at most one in
    the number of subjects. `noise_multiplier`: instead of `epsilon`, the noise itself, or what `epsilon` came
    to; of each group where those have their own. `clip`: the norm an update is clipped to. `place`: who adds
    the noise. `sampling`: whether the cohort counts as unknown to whoever attacks the model; cohorts stand on
    the log, so `secret` is true only of readers without it. `threshold`: the share of the cohort that must be
    there to reveal a secure sum. `key_holder`: the client that holds the key of homomorphic encryption.
    `ledger`: where budgets are charged. `budget`: the epsilon that each subject may spend on that ledger.
    """

    method: MethodName = "none"
    epsilon: float | Mapping[str, float] | None = None
    delta: float = 1e-5
    noise_multiplier: float | Mapping[str, float] | None = None
    clip: float = 1.0
    clipping: Clipping = "flat"
    place: Place = "central"
    sampling: Sampling = "public"
    threshold: float = 2 / 3
    key_holder: str | None = None
    ledger: str = "default"
    budget: float = 1.0

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise Refusal(
                "method", f"Unknown privacy method: {self.method[:40]!a}; it is one of {', '.join(METHODS)}"
            )
        check_id(self.ledger, "ledger")
        if self.key_holder is not None:
            check_id(self.key_holder, "key_holder")
        within("delta", self.delta, 0, 0.1, above=True)
        within("clip", self.clip, 0, 1e9, above=True)
        within("threshold", self.threshold, 0.5, 1, above=True)
        within("budget", self.budget, 0, 1e6, above=True)
        for name in ("epsilon", "noise_multiplier"):
            _within_each(name, getattr(self, name))


def _within_each(name: str, value: float | Mapping[str, float] | None) -> None:
    """Refuse a number that is not above 0 and at most 1e6: the one given, or that of a privacy group."""
    if isinstance(value, Mapping):
        if not value or not value.keys() <= set(GROUPS):
            raise Refusal(name, f"names privacy groups that are not among {', '.join(GROUPS)}")
        for group, one in sorted(value.items()):
            within(f"{name}.{group}", one, 0, 1e6, above=True)
    elif value is not None:
        within(name, value, 0, 1e6, above=True)


@dataclass(frozen=True, slots=True)
class PublishPolicy:
    """What becomes of the model.

    `canary`: the share of nodes that try it first; 0 promotes it at once. `tolerance`: a canary is taken back
    by itself where its loss is above the former version's by more than this share of that loss.
    """

    canary: float = 0.0
    tolerance: float = 0.05

    def __post_init__(self) -> None:
        within("canary", self.canary, 0, 1)
        within("tolerance", self.tolerance, 0, 100)
