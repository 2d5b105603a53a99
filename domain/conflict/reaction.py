"""From siblings that no rule settles to the case that is brought: whose, about what, by whom it is heard."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite

from domain.causality.causal_context import Dot
from domain.conflict.case import ContextKey, Position
from domain.conflict.coalescing import OPEN_CASES, Siblings, StartCase
from domain.conflict.commands import MAX_MEMBERS, GrowCase, OpenCase
from domain.conflict.matter import MAX_TEXT, check_distinct
from domain.conflict.policy import ConflictPolicy
from domain.consensus.commands import Voter
from domain.context.canonical import canonical
from domain.context.events import Flag, Written
from domain.context.priority import sync_priority
from domain.context.region import check_region
from domain.refusal import Refusal
from domain.stream import ID
from domain.strict_json import printable

MOST_OPEN = 10_000
_CLAIM_BYTES = 2_400  # of 40 of them less than a case may hold
_BEGINNING = 300


@dataclass(frozen=True, slots=True)
class Reaction:
    """How siblings become cases. Nobody registers members: they are those that are named here.

    `open_cases`: how many of the reactor's cases run at once; more wait, and none is dropped. `regions`:
    those that may be a key's home, by default all that have a topic. `severity` is that of every case, in
    0..1. A sibling with one of the `critical` flags makes its case critical. `members` are the candidates for
    every panel, `policy` the rules of every case.
    """

    open_cases: int = OPEN_CASES
    regions: tuple[str, ...] = ()
    severity: float = 0.5
    critical: tuple[Flag, ...] = ("personality_critical",)
    members: tuple[Voter, ...] = ()
    policy: ConflictPolicy = field(default_factory=ConflictPolicy)

    def __post_init__(self) -> None:
        if not 1 <= self.open_cases <= MOST_OPEN:
            raise Refusal("open_cases", f"{self.open_cases} is outside 1 to {MOST_OPEN}")
        for region in self.regions:
            check_region(region, "regions")
        check_distinct("regions", self.regions, "a region")
        if not isfinite(self.severity) or not 0 <= self.severity <= 1:
            raise Refusal("severity", f"{self.severity} is outside 0 to 1")
        if len(self.members) > MAX_MEMBERS:
            raise Refusal("members", f"{len(self.members)} given, at most {MAX_MEMBERS} are read")
        check_distinct("members", (one.id for one in self.members), "a member")


def home_region(layer: str, key: str, regions: Iterable[str]) -> str | None:
    """The one region that decides about a key, of those that may hold it; None of none.

    The highest SHA-256 over region, layer and key (rendezvous hashing, Thaler and Ravishankar 1998): keys are
    spread evenly, and a region that is added or gone moves only the keys that it gains or had.
    """
    return max(regions, key=lambda region: _digest(region, layer, key), default=None)


def reported(key: ContextKey, dots: Iterable[Dot], flags: Iterable[Flag], reaction: Reaction) -> Siblings:
    """The report of a key's siblings, of which one at least bears each of `flags`."""
    borne = frozenset(flags)
    critical = not borne.isdisjoint(reaction.critical)
    return Siblings(key, frozenset(dots), reaction.severity, critical, sync_priority(borne))


def opening(start: StartCase, writes: Mapping[Dot, Written], home: str, reaction: Reaction) -> OpenCase:
    """The case on the writes of `start`; its kind is a contradiction, since the rule was tried already.

    Raises:
        KeyError: a write is not among `writes`.
    """
    brought = [writes[dot] for dot in start.dots]
    return OpenCase(
        id=start.case,
        question=f"What holds for '{printable(start.key.key)}' of the layer {start.key.layer}?",
        regions=tuple(dict.fromkeys((home, *(write.region for write in brought)))),
        positions=tuple(map(position, brought)),
        kind="contradiction",
        layer=start.key.layer,
        severity=start.severity,
        critical=start.critical,
        topic="context",
        context=start.key,
        members=reaction.members,
        policy=reaction.policy,
    )


def growth(dots: Sequence[Dot], writes: Mapping[Dot, Written]) -> GrowCase:
    """The further positions of an open case."""
    return GrowCase(tuple(position(writes[dot]) for dot in dots))


def position(write: Written) -> Position:
    """What the writer of a sibling claims: the value, or where it is too large its beginning and its hash.

    The position is named after its dot and the party after the writer, by a hash where that is no id.
    """
    return Position(
        id=_id(f"{write.node}-{write.counter}"),
        party=_id(write.writer),
        claim=_claim(canonical(write.value)),
        region=write.region,
        dot=write.dot,
    )


def _claim(text: str) -> str:
    size = len(json.dumps(text, ensure_ascii=False).encode())
    if len(text) <= MAX_TEXT and size <= _CLAIM_BYTES:
        return text
    # Never JSON itself: no rule may take the summary for the value.
    return f"a value of {len(text)} characters, SHA-256 {_digest(text)}, which begins {text[:_BEGINNING]}"


def _id(name: str) -> str:
    return name if ID.fullmatch(name) else f"w-{_digest(name)[:16]}"


def _digest(*parts: str) -> str:
    framed = b"".join(len(part.encode()).to_bytes(4, "big") + part.encode() for part in parts)
    return hashlib.sha256(framed).hexdigest()
