"""What can happen to shared context: it is written. Stored names: change none without an upcaster."""

import hashlib
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from typing import Any, ClassVar, Literal

from domain.causality.causal_context import CausalContext, Dot, normal
from domain.causality.hybrid_clock import Timestamp
from domain.context.canonical import canonical

Flag = Literal["user_facing", "personality_critical", "conflict_resolution", "historical"]


@dataclass(frozen=True, slots=True)
class Written:
    """A node wrote `value` under `key` of `layer`, for `writer`, in `region`.

    `node` and `counter` are the write's dot: the counter counts this node's writes of this key 1, 2, 3, …
    `seen` is the version vector of the writes of this key that the writer knew, `beyond` holds the known dots
    past it, by node; what was seen is replaced, what was not becomes a sibling. `wall` (Unix milliseconds)
    and `logical` are the hybrid logical clock, which never lags behind what was seen. `ttl_ms` is how long
    the value is valid from `wall` on, null for ever. `case` names the conflict case whose ruling this is.
    There is no deletion: null is a value like any other, and every write can expire.
    """

    TYPE: ClassVar[str] = "context.written.v1"
    layer: str
    key: str
    value: Any
    writer: str
    region: str
    node: str
    counter: int
    wall: int
    logical: int = 0
    seen: dict[str, int] = field(default_factory=dict)
    beyond: dict[str, tuple[int, ...]] = field(default_factory=dict)
    ttl_ms: int | None = None
    flags: tuple[Flag, ...] = ()
    case: str | None = None

    @property
    def dot(self) -> Dot:
        return Dot(self.node, self.counter)

    @property
    def clock(self) -> Timestamp:
        return Timestamp(self.wall, self.logical)

    @property
    def context(self) -> CausalContext:
        """What the writer had seen, without this write itself."""
        if not self.beyond:
            return CausalContext(self.seen)
        dots = (Dot(node, counter) for node, counters in self.beyond.items() for counter in counters)
        return normal(self.seen, dots)


ContextEvent = Written
EVENTS: tuple[type[ContextEvent], ...] = (Written,)


def stream_of(region: str, layer: str, key: str) -> str:
    """The stream of one key as one region has it, `context/<region>.<layer>.<hash>`.

    Keys are free text, names of streams are not.
    """
    return f"context/{region}.{layer}.{_hash(key)}"


@lru_cache(maxsize=4096)  # one write asks for its stream in several places
def _hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:32]


def fingerprint(write: Written) -> str:
    """SHA-256 over the whole write in canonical form, in hexadecimal: the last word of the total order."""
    return hashlib.sha256(canonical(asdict(write)).encode()).hexdigest()
