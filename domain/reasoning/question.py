"""What a reasoner is asked: which position holds, on which evidence."""

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of evidence that a verdict may cite by its id."""

    id: str
    text: str


@dataclass(frozen=True, slots=True)
class Stance:
    """One of the positions to choose among, by its id; `evidence` are ids of the question's pieces."""

    id: str
    claim: str
    party: str = ""
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Question:
    """Positions, evidence and what was said so far; all of it was written by others.

    `voter` and `round` tell for whose ballot the question is put: two voters are asked twice, even on one
    node. A mediator is asked for nobody.
    """

    question: str
    positions: tuple[Stance, ...]
    evidence: tuple[Piece, ...] = ()
    context: tuple[str, ...] = ()
    voter: str = ""
    round: int = 1

    @property
    def choices(self) -> tuple[str, ...]:
        return tuple(one.id for one in self.positions)

    @property
    def citable(self) -> frozenset[str]:
        return frozenset(piece.id for piece in self.evidence)


def reversed_order(question: Question) -> Question:
    """The same question with its positions from last to first (L. Zheng et al., arXiv 2306.05685, 3.4)."""
    return replace(question, positions=question.positions[::-1])
