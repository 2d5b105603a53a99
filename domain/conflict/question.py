"""A case as the question that a mediator is asked."""

from domain.conflict.case import Case
from domain.reasoning.question import Piece, Question, Stance


def question_of(case: Case, heard: int) -> Question:
    """The case as its first `heard` positions make it."""
    return Question(
        case.question,
        tuple(Stance(one.id, one.claim, one.party, one.evidence) for one in case.positions[:heard]),
        tuple(Piece(piece.id, piece.text) for piece in case.evidence),
    )
