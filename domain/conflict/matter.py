"""The matter of a case: positions and evidence, checked together from the opening to the last growth."""

import json
from collections.abc import Hashable, Iterable

from domain.conflict.case import Evidence, Position
from domain.consensus.commands import MAX_REGION, check_words
from domain.refusal import Refusal
from domain.stream import ITEM_ID, check_id
from domain.strict_json import printable

MAX_POSITIONS = 40
MAX_EVIDENCE = 100
MAX_TEXT = 1_600
"""Of a claim or a piece of evidence, in characters: with its ids it fits one reference of a deliberation."""
MAX_BYTES = 100_000
"""All claims and evidence of one case together, as JSON: a deliberation's opening event repeats them."""
MAX_COUNTER = 2**63 - 1


def check_matter(positions: tuple[Position, ...], evidence: tuple[Evidence, ...]) -> None:
    """Refuse positions and evidence that together make no case; named by their place.

    Raises:
        Refusal: too many or too large, an id or a write twice, a citation of what is no evidence.
    """
    if len(positions) > MAX_POSITIONS:
        raise Refusal("positions", f"{len(positions)} are too many, at most {MAX_POSITIONS}")
    if len(evidence) > MAX_EVIDENCE:
        raise Refusal("evidence", f"{len(evidence)} pieces are too many, at most {MAX_EVIDENCE}")
    for index, piece in enumerate(evidence):
        check_id(piece.id, f"evidence[{index}].id")
        check_words(f"evidence[{index}].text", piece.text, MAX_TEXT)
    check_distinct("evidence", (piece.id for piece in evidence), "an id")
    known = {piece.id for piece in evidence}
    for index, position in enumerate(positions):
        _check_position(f"positions[{index}]", position, known)
    check_distinct("positions", (one.id for one in positions), "an id")
    check_distinct("positions", (one.dot for one in positions if one.dot is not None), "a write")
    texts = [*(one.claim for one in positions), *(piece.text for piece in evidence)]
    size = sum(len(json.dumps(text, ensure_ascii=False).encode()) for text in texts)
    if size > MAX_BYTES:
        raise Refusal("positions", f"{size} bytes with the evidence are too many, at most {MAX_BYTES}")


def _check_position(name: str, position: Position, known: set[str]) -> None:
    check_id(position.id, f"{name}.id")
    check_id(position.party, f"{name}.party")
    check_words(f"{name}.claim", position.claim, MAX_TEXT)
    if position.region is not None:
        check_words(f"{name}.region", position.region, MAX_REGION)
    check_distinct(f"{name}.evidence", position.evidence, "a piece")
    for cited in position.evidence:
        if cited not in known:
            raise Refusal(f"{name}.evidence", f"'{printable(cited, 40)}' is no piece of evidence of the case")
    if position.dot is not None:
        if not ITEM_ID.fullmatch(position.dot.node):
            raise Refusal(f"{name}.dot.node", f"'{printable(position.dot.node, 40)}' is no node of a write")
        if not 1 <= position.dot.counter <= MAX_COUNTER:
            raise Refusal(f"{name}.dot.counter", f"{position.dot.counter} is outside 1 to {MAX_COUNTER}")


def check_distinct(name: str, values: Iterable[Hashable], what: str) -> None:
    seen: set[Hashable] = set()
    for value in values:
        if value in seen:
            raise Refusal(name, f"{what} stands twice: {printable(str(value), 60)}")
        seen.add(value)
