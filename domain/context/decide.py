"""The decisions about shared context: what is known of a key and a command in, the write out."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any

from domain.causality import causal_context
from domain.causality.causal_context import EMPTY, CausalContext, next_dot
from domain.causality.hybrid_clock import ZERO, Timestamp, send
from domain.context.canonical import check_value
from domain.context.commands import PutContext
from domain.context.events import Written
from domain.context.layers import Layer, Layers
from domain.context.residency import Residency
from domain.context.rules.conflict import TextMerge
from domain.context.rules.registry import resolve
from domain.context.state import Entry, context_of
from domain.context.versions import check_version
from domain.context.view import conflict_in
from domain.making import maker
from domain.refusal import Refusal

_written = maker(Written)


@dataclass(frozen=True, slots=True)
class Node:
    """Who writes: a node of a region, and the latest time that it sent or received anything."""

    id: str
    region: str
    clock: Timestamp = ZERO


def put(
    entry: Entry | None,
    command: PutContext,
    node: Node,
    now_ms: int,
    *,
    layers: Layers,
    residency: Residency,
    merge_text: TextMerge | None = None,
) -> Written:
    """The write that the command asks for, over what the node has of the key.

    It replaces siblings that a rule settles, and those that the writer has read and named by `if_version`.
    Siblings that wait for a decision are not replaced by who has not read them: the write joins them.

    `entry` must hold every earlier write of this node to the key, sent or not: the dot is counted from it.
    The time is later than the node's and than any that the entry holds, by a clock ahead of all bounds even:
    else an answer could expire before what it answers. The node's own clock is the caller's to move, by
    `receive`, which is bounded.

    Raises:
        VersionMoved: the entry has another version than `if_version`.
        PinnedElsewhere: the key may not be in this region.
        Refusal: `if_version` is no version.
    """
    residency.check(command.layer, command.key, node.region)
    check_version(entry, command.if_version)
    layer = layers.named(command.layer)
    read = command.if_version is not None or _settled(entry, layer, node.region, merge_text)
    seen = context_of(entry) if read else _own_of(entry, node.id)
    clock = send(max(node.clock, entry.newest if entry else ZERO), now_ms)
    ttl = command.ttl_seconds
    return _written(
        layer=command.layer,
        key=command.key,
        value=command.value,
        writer=command.writer,
        region=node.region,
        node=node.id,
        counter=next_dot(seen, node.id).counter,
        wall=clock.wall,
        logical=clock.logical,
        seen=dict(seen.vector),
        beyond=_by_node(seen),
        ttl_ms=layer.ttl_ms if ttl is None else round(ttl * 1000),
        flags=tuple(sorted(set(command.flags))) if command.flags else (),
    )


def rule(
    siblings: Sequence[Written],
    value: Any,
    *,
    case: str,
    number: int,
    writer: str,
    region: str,
    now_ms: int,
    ttl_ms: int | None = None,
) -> Written:
    """The write that applies a ruling: it has seen the siblings that were judged, and only these.

    What was written in the meantime stays beside it, as a new conflict. Its node is `case.<case>` and its
    counter the `number` of the ruling among those of the case (1, 2, 3, …), so that a ruling applied again is
    a duplicate. The same arguments give the same write.

    Raises:
        Refusal: there are no siblings, they are of several keys, or the value cannot be shared.
    """
    if len({(write.layer, write.key) for write in siblings}) != 1:
        raise Refusal("siblings", "of one key, at least one, are ruled on")
    check_value(value)
    seen = reduce(_with_write, siblings, EMPTY)
    clock = send(max(write.clock for write in siblings), now_ms)
    return Written(
        layer=siblings[0].layer,
        key=siblings[0].key,
        value=value,
        writer=writer,
        region=region,
        node=f"case.{case}",
        counter=number,
        wall=clock.wall,
        logical=clock.logical,
        seen=dict(seen.vector),
        beyond=_by_node(seen),
        ttl_ms=ttl_ms,
        flags=("conflict_resolution",),
        case=case,
    )


def merged(siblings: Sequence[Written], value: Any, region: str) -> Written:
    """The write of a merge that only who looked up the past could make: no case, and no clock but theirs.

    Its node is `merge.` and a hash of what it replaces, so that it is the same write whoever makes it.

    Raises:
        Refusal: as `rule`.
    """
    parts = ",".join(sorted(f"{write.node}:{write.counter}" for write in siblings))
    lives = [write.ttl_ms for write in siblings if write.ttl_ms is not None]
    write = rule(
        siblings,
        value,
        case="",
        number=1,
        writer="merge",
        region=region,
        now_ms=0,
        ttl_ms=max(lives) if len(lives) == len(siblings) else None,
    )
    return replace(write, node=f"merge.{hashlib.sha256(parts.encode()).hexdigest()[:32]}", case=None)


def _settled(entry: Entry | None, layer: Layer, region: str, merge_text: TextMerge | None) -> bool:
    conflict = entry and conflict_in(entry, layer, region, merge_text=merge_text)
    return not conflict or resolve(conflict).resolution is not None


def _own_of(entry: Entry | None, node: str) -> CausalContext:
    """Of all that is known of the key, the node's own writes."""
    known = context_of(entry)
    counter = known.vector.get(node, 0)
    beyond = frozenset(dot for dot in known.beyond if dot.node == node)
    return CausalContext({node: counter} if counter else {}, beyond)


def _with_write(seen: CausalContext, write: Written) -> CausalContext:
    return causal_context.add(causal_context.join(seen, write.context), write.dot)


def _by_node(context: CausalContext) -> dict[str, tuple[int, ...]]:
    found: dict[str, tuple[int, ...]] = {}
    for dot in sorted(context.beyond) if context.beyond else ():
        found[dot.node] = (*found.get(dot.node, ()), dot.counter)
    return found
