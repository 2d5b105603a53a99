"""The rules of a deliberation, frozen into its opening event."""

import math
from dataclasses import dataclass
from typing import Literal

from domain.refusal import Refusal

Weighting = Literal["equal", "reputation", "posterior", "calibrated"]
FaultModel = Literal["crash", "byzantine", "stake"]
Otherwise = Literal["mediate", "person", "unresolved"]

MAX_ROUNDS = 20
MAX_PANEL = 500
MAX_BALLOTS = 5_000
MAX_ROUND_SECONDS = 31_536_000
MAX_PERSON_SECONDS = 315_360_000
MAX_SEED = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Policy:
    """How a panel decides.

    `threshold`: share of the cast weight one choice must gather, in (0, 1]; exactly the threshold passes.
    `quorum`: share of the panel that must cast a ballot, in [0, 1].
    `round_seconds`: how long a round stays open. `floor`: an option below this share leaves after a round.
    `faults`: the f that a `byzantine` panel of n >= 3f + 1 must bear. `stake_cap`: the largest share of the
    total weight that one voter may hold under `stake`.
    """

    threshold: float = 0.75
    quorum: float = 0.5
    max_rounds: int = 3
    round_seconds: float = 3600.0
    weighting: Weighting = "equal"
    panel_size: int | None = None
    seed: int = 0
    floor: float = 0.1
    fault_model: FaultModel | None = None
    faults: int = 0
    stake_cap: float = 0.5
    otherwise: Otherwise = "unresolved"
    person_seconds: float = 604800.0

    def __post_init__(self) -> None:
        # Every opening and decision on the log carries a policy, and one chain takes a sixth of the time of
        # ten calls. It is false for NaN, too.
        if not (
            0 < self.threshold <= 1
            and 0 <= self.quorum <= 1
            and 1 <= self.max_rounds <= MAX_ROUNDS
            and 0 < self.round_seconds <= MAX_ROUND_SECONDS
            and 0 <= self.floor <= 1
            and 0 <= self.faults <= MAX_PANEL
            and 0 < self.stake_cap <= 1
            and 0 < self.person_seconds <= MAX_PERSON_SECONDS
            and 0 <= self.seed <= MAX_SEED
            and (self.panel_size is None or 1 <= self.panel_size <= MAX_PANEL)
        ):
            self._name_the_range()
        if self.faults or self.fault_model:
            self._check_fault_model()

    def _name_the_range(self) -> None:
        _within("threshold", self.threshold, 0, 1, open_low=True)
        _within("quorum", self.quorum, 0, 1)
        _within("max_rounds", self.max_rounds, 1, MAX_ROUNDS)
        _within("round_seconds", self.round_seconds, 0, MAX_ROUND_SECONDS, open_low=True)
        _within("floor", self.floor, 0, 1)
        _within("faults", self.faults, 0, MAX_PANEL)
        _within("stake_cap", self.stake_cap, 0, 1, open_low=True)
        _within("person_seconds", self.person_seconds, 0, MAX_PERSON_SECONDS, open_low=True)
        _within("seed", self.seed, 0, MAX_SEED)
        if self.panel_size is not None:
            _within("panel_size", self.panel_size, 1, MAX_PANEL)

    def _check_fault_model(self) -> None:
        if self.faults and self.fault_model != "byzantine":
            raise Refusal(
                "faults", 'only fault_model "byzantine" counts faults; leave it out or name the model'
            )
        if self.fault_model == "byzantine" and not self.faults:
            raise Refusal(
                "faults", 'fault_model "byzantine" needs the number of faulty voters to bear, 1 or more'
            )
        if self.fault_model and self.weighting in ("posterior", "calibrated"):
            raise Refusal(
                "fault_model",
                f"{self.fault_model} counts ballots, weighting {self.weighting} does not; choose one",
            )
        if self.fault_model == "stake" and self.weighting != "equal":
            raise Refusal("weighting", 'fault_model "stake" weighs by the stakes given; leave weighting out')


def _within(field: str, value: float, low: float, high: float, *, open_low: bool = False) -> None:
    if not math.isfinite(value) or not low <= value <= high or (open_low and value == low):
        raise Refusal(field, f"{value} is outside {'above ' if open_low else ''}{low} to {high}")
