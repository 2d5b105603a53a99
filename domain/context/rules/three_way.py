"""A three-way merge of structured values: what one side changed, and no other side did otherwise."""

from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import Any

from domain.context.canonical import same
from domain.context.rules.conflict import TextMerge
from domain.context.rules.coupled import parted
from domain.context.rules.wording import complete, opposed, separable

ABSENT: Any = object()
"""No value: unlike null, which is one."""

_Side = tuple[int, dict[str, Any]]
"""A side's bit and its object."""


class Merge:
    """One merge of several sides with their common ancestor, field by field.

    What the sides make of a field is a set of values, and sets are joined: so order, number and grouping of
    the sides make no difference. One value stands; two contradict each other, for scalars, numbers and lists
    are never mixed. `preserved` and `contradictions` are JSON pointers (RFC 6901).
    """

    def __init__(self, merge_text: TextMerge | None = None) -> None:
        self.preserved: list[str] = []
        self.contradictions: set[str] = set()
        self._merge_text = merge_text
        self._texts: list[tuple[int, str, str]] = []

    def values(self, base: Any, sides: Sequence[Any]) -> Any:
        """The merged value; meaningless where there are contradictions.

        Objects are merged with an object as their ancestor, or none; texts with a text that each side edited.
        """
        if (base is ABSENT or isinstance(base, dict)) and _all(sides, dict):
            numbered = [(1 << n, side) for n, side in enumerate(sides)]
            merged: Any = self._object({} if base is ABSENT else base, numbered, "")
            if len(self._texts) > 1:
                self._compare_texts()
        else:
            merged = self._text(base, sides)
            if merged is ABSENT:
                self.contradictions.add("")
            else:
                self.preserved.append("")
        return merged

    def _object(self, base: dict[str, Any], sides: Sequence[_Side], path: str) -> dict[str, Any]:
        merged = dict(base)
        for _, side in sides:
            merged.update(side)  # every key there is; each then gets its own value
        touched: dict[str, int] = {}
        for key in list(merged):
            before = base.get(key, ABSENT)
            value, changed_by, differ = _changes(key, before, sides)
            at = f"{path}/{_escaped(key)}" if "~" in key or "/" in key else f"{path}/{key}"
            if changed_by:
                touched[key] = changed_by
            if differ:
                value = self._differing(before, [(bit, side.get(key, ABSENT)) for bit, side in sides], at)
            elif value is not ABSENT:
                self._undisputed(value, changed_by, at)
            if value is ABSENT:
                del merged[key]
            else:
                merged[key] = value
        if len(touched) > 1:
            self.contradictions.update(f"{path}/{_escaped(key)}" for key in parted(touched))
        return merged

    def _undisputed(self, value: Any, changed_by: int, at: str) -> None:
        self.preserved.append(at)
        if changed_by and type(value) is str and " " in value:
            self._texts.append((changed_by, value, at))

    def _differing(self, before: Any, sides: Sequence[tuple[int, Any]], at: str) -> Any:
        """What two or more different changes of one field come to."""
        changed = [(bit, value) for bit, value in sides if not same(value, before)]
        values = [value for _, value in changed]
        if (before is ABSENT or isinstance(before, dict)) and _all(values, dict):
            return self._object({} if before is ABSENT else before, changed, at)
        merged = self._text(before, values)
        if merged is ABSENT:
            self.contradictions.add(at)
        else:
            self.preserved.append(at)
            self._texts += [(bit, value, at) for bit, value in changed]
        return merged

    def _text(self, base: Any, sides: Sequence[Any]) -> Any:
        """The text that the handed-in merge makes of edits it may be trusted with, else ABSENT."""
        if self._merge_text is None or not isinstance(base, str) or not _all(sides, str):
            return ABSENT
        edits = tuple(sorted(set(sides)))
        if not separable(base, edits):
            return ABSENT
        merged = self._merge_text(base, edits)
        return merged if complete(base, edits, merged) else ABSENT

    def _compare_texts(self) -> None:
        """Two sides that put much the same words into different fields may well contradict each other."""
        for (one, text, at), (other, against, there) in combinations(self._texts, 2):
            if not one & other and at != there and opposed(text, against):
                self.contradictions |= {at, there}


def _changes(key: str, before: Any, sides: Sequence[_Side]) -> tuple[Any, int, bool]:
    """The last value given to the field, the bits of those who changed it, and whether they differ."""
    value, changed_by, differ = before, 0, False
    for bit, side in sides:
        now = side.get(key, ABSENT)
        if now is before or (now == before and same(now, before)):
            continue
        if changed_by and not same(now, value):
            differ = True
        changed_by |= bit
        value = now
    return value, changed_by, differ


def _all(values: Iterable[Any], kind: type) -> bool:
    return all(isinstance(value, kind) for value in values)


def _escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")
