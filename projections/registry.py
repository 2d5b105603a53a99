"""Every projection, once."""

from eventlog.topics import family_of
from projections.conflict import ConflictProjection
from projections.consensus import ConsensusProjection
from projections.context import ContextProjection
from projections.deadletters import DiscardProjection
from projections.dockets import DocketProjection
from projections.projection import Projection

# Records that no projection takes (no readable key, a category of nobody) are parked in its name, so it
# stands on every topic.
UNROUTED: Projection = DiscardProjection()
PROJECTIONS: tuple[Projection, ...] = (
    UNROUTED,
    ConsensusProjection(),
    DocketProjection(),
    ContextProjection(),
    ConflictProjection(),
)
BY_NAME = {projection.name: projection for projection in PROJECTIONS}


def standing_on(topic: str) -> list[str]:
    """The names of the projections that keep an offset on `topic`."""
    family = family_of(topic)
    return sorted(p.name for p in PROJECTIONS if p.topic == family or p is UNROUTED)
