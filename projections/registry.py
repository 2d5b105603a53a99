"""Every projection, once."""

from collections.abc import Iterable

from eventlog.topics import family_of
from projections.budget import BudgetProjection
from projections.conflict import ConflictProjection
from projections.consensus import ConsensusProjection
from projections.context import ContextProjection
from projections.deadletters import DiscardProjection
from projections.dockets import DocketProjection
from projections.fleet import FleetProjection
from projections.learning import LearningProjection
from projections.model import ModelProjection
from projections.projection import Projection

# Records that no projection takes (no readable key, a category of nobody) are parked in its name, so it
# stands on every topic.
UNROUTED: Projection = DiscardProjection()
# Its rules are a deployment's own: whoever begins a process says which (`workers.context_rules`).
CONTEXT = ContextProjection()
PROJECTIONS: tuple[Projection, ...] = (
    UNROUTED,
    ConsensusProjection(),
    DocketProjection(),
    CONTEXT,
    ConflictProjection(),
    LearningProjection(),
    FleetProjection(),
    BudgetProjection(),
    ModelProjection(),
)
BY_NAME = {projection.name: projection for projection in PROJECTIONS}


def standing_on(topic: str) -> list[str]:
    """The names of the projections that keep an offset on `topic`."""
    family = family_of(topic)
    return sorted(p.name for p in PROJECTIONS if p.topic == family or p is UNROUTED)


def rules_of(names: Iterable[str]) -> dict[str, str]:
    """By what these projections make their rows beside the log; those that need nothing else left out."""
    return {name: BY_NAME[name].rules for name in names if BY_NAME[name].rules}
