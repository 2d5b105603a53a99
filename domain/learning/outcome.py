"""What a cycle came to, as its workflow returns it."""

from dataclasses import dataclass

from domain.learning.privacy_level import PrivacyLevel


@dataclass(frozen=True, slots=True)
class RoundFigures:
    """One round. `loss` and `accuracy` on the holdout; without one, `loss` of the model that was given.

    `drift`: L2 distance from the last model over that model's norm. `cohort`: how many were asked, of whom
    `clients` entered. `sent_bytes` against `raw_bytes`, which centralising the rows would have sent.
    `epsilon`: spent by then, as the accountant says, or null.
    """

    round: int
    loss: float | None
    accuracy: float | None
    drift: float
    cohort: int
    clients: int
    sent_bytes: int
    raw_bytes: int
    epsilon: float | None


@dataclass(frozen=True, slots=True)
class CycleOutcome:
    """The result. `participants`: clients of which an update entered the model, each counted once.

    `insights_aggregated`: updates that entered it, over all rounds. `privacy_level`: the weakest that held
    for any of them. `digest`: of the model (`domain.learning.tensors.digest`), published as `version`.
    """

    cycle: str
    participants: int
    insights_aggregated: int
    privacy_level: PrivacyLevel
    evolution_metrics: tuple[RoundFigures, ...]
    digest: str
    version: str
