"""What a run on shared context leaves behind: calls as their callers saw them, logs and tables at the end."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from domain.causality.causal_context import Dot
from domain.context.events import Written
from domain.context.residency import Residency
from domain.context.state import Entry

Key = tuple[str, str]
"""Layer and key."""


@dataclass(slots=True)
class Call:
    """One call of a node. `began` and `ended` are its places in the order of all that happened.

    `outcome`: "ok", "fail" (refused: nothing may have happened), or "info" (nobody answered: it may have, or
    may yet). Each put has a value of its own, by which it is found again. `event` is what a put was answered;
    `dots` is the version that the node then had of the key. `value` of a get is what was shown.
    """

    node: str
    region: str
    kind: Literal["put", "get"]
    place: Key
    began: int
    value: Any = None
    outcome: Literal["ok", "fail", "info"] = "info"
    ended: int | None = None
    event: str = ""
    dots: tuple[Dot, ...] = ()

    def before(self, other: "Call") -> bool:
        """Whether it was over when the other began; calls at the same time have no order."""
        return self.ended is not None and self.ended < other.began


class Logged(NamedTuple):
    """A record of a region's topic: the event's id, its bytes and its write, as often as it lies there."""

    event: str
    raw: bytes
    write: Written


@dataclass(frozen=True, slots=True)
class Region:
    """A region after all is healed: its raw log, what its table has, how many writes each row counts."""

    name: str
    log: tuple[Logged, ...]
    entries: Mapping[Key, Entry]
    counted: Mapping[Key, int]
    digest: str


class Opened(NamedTuple):
    """A case as it was opened and closed, in times of one order; `covers`: what its ruling was to replace."""

    case: str
    place: Key
    opened: float
    closed: float | None = None
    covers: tuple[Dot, ...] = ()


@dataclass(frozen=True, slots=True)
class History:
    """All of a run. `cases` has an element for each time that the log says one was opened."""

    calls: tuple[Call, ...]
    regions: tuple[Region, ...]
    residency: Residency = field(default_factory=Residency)
    cases: tuple[Opened, ...] = ()

    def allowed(self, place: Key) -> list[Region]:
        return [one for one in self.regions if self.residency.allows(*place, one.name)]


class Violation(NamedTuple):
    """A promise that was broken, by its name, and where."""

    kind: str
    where: str


def place_of(write: Written) -> Key:
    return write.layer, write.key


def named(write: Written) -> str:
    return f"{write.node}:{write.counter} of {write.layer} '{write.key}'"


def texts(value: Any) -> Iterator[str]:
    """Every text in a JSON value; the names of fields are not among them."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from texts(one)
