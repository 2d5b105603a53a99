"""The version of a key in a region, as people and programs hand it back: the dots of its siblings."""

import re

from domain.causality.causal_context import Dot
from domain.context.state import Entry
from domain.refusal import Refusal
from domain.strict_json import printable

NOTHING = "none"
_DOT = re.compile(r"([A-Za-z0-9][A-Za-z0-9_.-]{0,159}):([1-9][0-9]{0,18})")


class VersionMoved(Refusal):
    """The region has another version than the one that the writer had read."""


def version_of(entry: Entry | None) -> str:
    """`eu-1:3`, or `eu-1:3,us-2:1` for two siblings, or `none`. It changes when what is read may change."""
    if entry is None or not entry.siblings:
        return NOTHING
    return ",".join(sorted(f"{write.node}:{write.counter}" for write in entry.siblings))


def dots_of(version: str) -> tuple[Dot, ...]:
    """The dots that a version names.

    Raises:
        Refusal: it is no version.
    """
    if version == NOTHING:
        return ()
    matches = [_DOT.fullmatch(part) for part in version.split(",")]
    if not all(matches):
        raise Refusal(
            "if_version", f"'{printable(version, 60)}' is no version; `get` prints one, like eu-1:3, or none"
        )
    return tuple(sorted(Dot(match[1], int(match[2])) for match in matches if match))


def check_version(entry: Entry | None, expected: str | None) -> None:
    """Refuse a write whose author read another version than the region has; None asks for nothing.

    Raises:
        VersionMoved: the versions differ; both are named.
        Refusal: `expected` is no version.
    """
    if expected is None:
        return
    dots = dots_of(expected)
    actual = version_of(entry)
    if dots != dots_of(actual):
        raise VersionMoved(
            "if_version", f"is {printable(expected, 200)}, but the region has {actual}; read it again"
        )
