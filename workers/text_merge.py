"""Two edits of one text as one text, by the CRDT of Yjs (pycrdt), sentence by sentence and line by line.

Which edits it is trusted with, and whether its answer is taken, is not decided here:
`domain.context.rules.wording`.
"""

import re
from difflib import SequenceMatcher

from pycrdt import Doc, Text

_BETWEEN = re.compile(r"((?<=[.!?;])\s+|\n+)")
_TEXT = "text"


def merge_text(base: str, edits: tuple[str, ...]) -> str:
    """`base` with what each of `edits` changed in it; the same for the same arguments, on every machine."""
    doc: Doc[Text] = Doc(client_id=1)
    doc[_TEXT] = Text(base)
    before = doc.get_update()
    # A client's id decides whose insertion comes first at one place: it goes by the order of the edits.
    for update in [_edited(before, base, edit, number) for number, edit in enumerate(edits, 2)]:
        doc.apply_update(update)
    return str(doc.get(_TEXT, type=Text))


def _edited(before: bytes, base: str, edit: str, client: int) -> bytes:
    doc: Doc[Text] = Doc(client_id=client)
    doc.apply_update(before)
    text = doc.get(_TEXT, type=Text)
    known = doc.get_state()
    old, new = _BETWEEN.split(base), _BETWEEN.split(edit)
    changes = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    for tag, first, last, start, end in reversed(changes):  # from the end, so that positions hold
        if tag == "equal":
            continue
        at = _size(old[:first])
        del text[at : at + _size(old[first:last])]
        text.insert(at, "".join(new[start:end]))
    update: bytes = doc.get_update(known)
    return update


def _size(pieces: list[str]) -> int:
    """As Yjs counts in this library: in bytes of UTF-8."""
    return sum(len(piece.encode()) for piece in pieces)
