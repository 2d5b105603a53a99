"""What is in dispute: who claims what on which evidence, where, and how much hangs on it."""

from dataclasses import dataclass
from typing import Literal

from domain.causality.causal_context import Dot

Kind = Literal["concurrent_write", "temporal", "regional", "contradiction", "policy"]
Layer = Literal["immediate", "situational", "cultural", "historical"]


@dataclass(frozen=True, slots=True)
class ContextKey:
    """The entry of the shared context that is in dispute; `region` only where the entry belongs to one."""

    layer: Layer
    key: str
    region: str | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """A piece that a verdict may cite by its id."""

    id: str
    text: str


@dataclass(frozen=True, slots=True)
class Position:
    """What one party claims.

    `claim` is the value, or a summary where the value is too large; `dot` is the write that holds it, for a
    position that is a sibling in the context. `evidence` are ids of the case's pieces.
    """

    id: str
    party: str
    claim: str
    evidence: tuple[str, ...] = ()
    region: str | None = None
    dot: Dot | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """A conflict as it was opened, and as it grew.

    `regions` names the home region first: its node applies the layer's rule, its members sit on level 2.
    `others` are parties without a position of their own. `severity` is in 0..1.
    """

    id: str
    question: str
    kind: Kind
    layer: Layer
    regions: tuple[str, ...]
    severity: float
    critical: bool
    positions: tuple[Position, ...]
    evidence: tuple[Evidence, ...] = ()
    others: tuple[str, ...] = ()
    topic: str = "general"
    context: ContextKey | None = None

    @property
    def parties(self) -> tuple[str, ...]:
        """Everyone who may appeal and never sits: in the order of their first position."""
        return tuple(dict.fromkeys((*(one.party for one in self.positions), *self.others)))

    @property
    def all_regions(self) -> tuple[str, ...]:
        """The regions of the case and of its positions, the home region first."""
        placed = (one.region for one in self.positions if one.region is not None)
        return tuple(dict.fromkeys((*self.regions, *placed)))

    def options(self, heard: int) -> tuple[str, ...]:
        """The ids of the first `heard` positions: what a level that heard them may choose among."""
        return tuple(one.id for one in self.positions[:heard])

    def dots(self, heard: int) -> tuple[Dot, ...]:
        """The writes among the first `heard` positions."""
        return tuple(one.dot for one in self.positions[:heard] if one.dot is not None)

    def position(self, position: str) -> Position:
        """The position of this id.

        Raises:
            KeyError: there is none; whoever takes an id from outside checks it against `options`.
        """
        for one in self.positions:
            if one.id == position:
                return one
        raise KeyError(position)
