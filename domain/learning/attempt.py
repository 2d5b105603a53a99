"""What decisions about an attempt are told: who was drawn for it, and the model that it became."""

from dataclasses import dataclass

from domain.artifact import ArtifactRef
from domain.learning.events import Member, PrivacyMetadata


@dataclass(frozen=True, slots=True)
class Drawn:
    """A cohort, and what it was drawn from."""

    roster: ArtifactRef
    eligible: int
    cohort: tuple[Member, ...]


@dataclass(frozen=True, slots=True)
class NewModel:
    """What a round's updates became; as in `RoundAggregated`."""

    excluded: tuple[str, ...]
    model: ArtifactRef
    digest: str
    state: ArtifactRef | None
    loss: float | None
    accuracy: float | None
    drift: float
    privacy: PrivacyMetadata
    evidence: ArtifactRef | None = None
