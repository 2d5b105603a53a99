"""The rules of a deliberation, frozen into its opening event."""

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
_RANGES: tuple[tuple[str, float, float, bool], ...] = (
    ("threshold", 0, 1, True),
    ("quorum", 0, 1, False),
    ("max_rounds", 1, MAX_ROUNDS, False),
    ("round_seconds", 0, MAX_ROUND_SECONDS, True),
    ("floor", 0, 1, False),
    ("faults", 0, MAX_PANEL, False),
    ("stake_cap", 0, 1, True),
    ("person_seconds", 0, MAX_PERSON_SECONDS, True),
    ("seed", 0, MAX_SEED, False),
    ("panel_size", 1, MAX_PANEL, False),
)
"""Field, lowest and highest value, and whether the lowest itself is too low."""


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
        # One plain loop: every opening and decision on the log carries a policy, and is read through here.
        for field, low, high, above in _RANGES:
            value = getattr(self, field)
            # False for NaN, too; only the panel's size may be left open.
            if value is not None and not (low < value <= high if above else low <= value <= high):
                raise Refusal(field, f"{value} is outside {'above ' if above else ''}{low} to {high}")
        if self.faults or self.fault_model:
            self._check_fault_model()

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
