"""What may be told about two texts without understanding them: only that they must not be merged."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher
from itertools import combinations, product
from typing import NamedTuple

from domain.context.rules.critical_words import CRITICAL, FUNCTION

_WORDS = re.compile(r"(?<!\w)[-+\u2212]?\d+(?:[.,:/]\d+)*|\w+(?:['\u2019]\w+)?")
# With a number goes its sign, and what is between its digits.
_UNITS = re.compile(r"(?<=[.!?;])\s+|\n+")
_ALIKE = 0.5
_LEAST_WORDS = 2
_STEM = 4
_MOST_PAIRS = 2_500


def words(text: str) -> list[str]:
    return [word.replace("\u2019", "'") for word in _WORDS.findall(text.lower())]


def opposed(one: str, other: str) -> bool:
    """Whether sentences of two texts differ, yet share so many words that they may speak of one thing.

    Two texts of very many sentences are not compared but taken for opposed.
    """
    ours, theirs = _units(one), _units(other)
    if len(ours) * len(theirs) > _MOST_PAIRS:
        return one != other
    return any(_opposed(a, b) for a, b in product(map(_said, ours), map(_said, theirs)))


def separable(base: str, edits: Sequence[str]) -> bool:
    """Whether edits of one text touch nothing of each other's, so that a text merge may be trusted with them.

    Each must have changed sentences (or lines) of its own, with an untouched one in between; none may add or
    drop a critical word or a number; and the sentences that two of them changed may not share a word that
    carries meaning. Stricter than any merge of texts, because a person can still merge what is refused here.
    """
    parts = _units(base)
    changes = [_changes(parts, _units(edit)) for edit in edits]
    if not all(changes) or any(_is_critical(change) for side in changes for change in side):
        return False
    return not any(_touch(one, other) for one, other in combinations(changes, 2))


def complete(base: str, edits: Sequence[str], merged: str) -> bool:
    """Whether `merged` is each sentence of `base` that nobody dropped and each that somebody added."""
    parts = Counter(_units(base))
    expected = Counter(parts)
    for edit in edits:
        now = Counter(_units(edit))
        expected += now - parts
        expected -= parts - now
    return Counter(_units(merged)) == expected


_Change = tuple[int, int, list[str], list[str]]
"""From which unit of the ancestor, up to which, the words dropped and the words added there."""


def _units(text: str) -> list[str]:
    return [unit for part in _UNITS.split(text) if (unit := part.strip())]


def _changes(parts: list[str], edited: list[str]) -> list[_Change]:
    found = SequenceMatcher(None, parts, edited, autojunk=False).get_opcodes()
    return [
        (first, last, words(" ".join(parts[first:last])), words(" ".join(edited[start:end])))
        for tag, first, last, start, end in found
        if tag != "equal"
    ]


def _is_critical(change: _Change) -> bool:
    dropped, added = Counter(change[2]), Counter(change[3])
    return any(
        word in CRITICAL or word.endswith("n't") or any(c.isdigit() for c in word)
        for word in (dropped - added) + (added - dropped)
    )


def _touch(one: Sequence[_Change], other: Sequence[_Change]) -> bool:
    if any(a[0] <= b[1] and b[0] <= a[1] for a in one for b in other):
        return True
    return not _meanings(one).isdisjoint(_meanings(other))


class _Said(NamedTuple):
    words: list[str]
    stems: set[str]
    topic: set[str]


def _said(unit: str) -> _Said:
    told = words(unit)
    topic = (word for word in told if word not in FUNCTION and word not in CRITICAL)
    return _Said(told, _stems(told), _stems(topic))


def _opposed(one: _Said, other: _Said) -> bool:
    if one.words == other.words or min(len(one.words), len(other.words)) < _LEAST_WORDS:
        return False
    return _alike(one.stems, other.stems) or _alike(one.topic, other.topic)


def _alike(ours: set[str], theirs: set[str]) -> bool:
    return bool(ours & theirs) and len(ours & theirs) >= _ALIKE * len(ours | theirs)


def _stems(of: Iterable[str]) -> set[str]:
    return {word[:_STEM] for word in of}


def _meanings(changes: Sequence[_Change]) -> set[str]:
    every = (word for change in changes for word in (*change[2], *change[3]))
    return _stems(word for word in every if word not in FUNCTION)
