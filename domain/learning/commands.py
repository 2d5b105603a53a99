"""What may be asked: a cycle, as one JSON object, that refuses what it cannot mean, field by field."""

from dataclasses import dataclass, field

from domain.artifact import ArtifactRef
from domain.learning.policy import (
    MAX_ROUNDS,
    MAX_SEED,
    CohortPolicy,
    DataSelector,
    LocalTraining,
    PrivacySpec,
    PublishPolicy,
    StrategySpec,
    TrainerSpec,
    within,
)
from domain.learning.versions.version_name import parsed
from domain.stream import check_id

MAX_CYCLE_ID = 100


@dataclass(frozen=True, slots=True)
class RunCycle:
    """Train a model on the fleet, round by round.

    `id`: the cycle's, letters, digits, `_` and `-`, at most 100; no dot. `model`: the name that its versions
    are kept under. `rounds`: 1 to 1,000 of them. `holdout`: rows (safetensors of named arrays) that every
    round's model is evaluated on; without it the cohort evaluates, on rows of its own. `scheduled`: the id
    is given the time of the start, so that a schedule can start it again. `parent`: the version to go on
    from; by default the promoted one, or, where there is none, a fresh model.
    """

    id: str
    model: str
    trainer: TrainerSpec
    rounds: int = 10
    data: DataSelector = field(default_factory=DataSelector)
    cohort: CohortPolicy = field(default_factory=CohortPolicy)
    local: LocalTraining = field(default_factory=LocalTraining)
    strategy: StrategySpec = field(default_factory=StrategySpec)
    privacy: PrivacySpec = field(default_factory=PrivacySpec)
    publish: PublishPolicy = field(default_factory=PublishPolicy)
    holdout: ArtifactRef | None = None
    parent: str | None = None
    seed: int = 0
    scheduled: bool = False

    def __post_init__(self) -> None:
        check_id(self.id)
        within("id", len(self.id), 1, MAX_CYCLE_ID)
        check_id(self.model, "model")
        check_id(self.data.name, "data.name")
        within("rounds", self.rounds, 1, MAX_ROUNDS)
        within("seed", self.seed, 0, MAX_SEED)
        if self.parent is not None:
            parsed(self.parent, "parent")
