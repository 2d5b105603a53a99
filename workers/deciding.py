"""Decides a node's puts over what it has of each key, one after the other, for one transaction at a time."""

from collections import OrderedDict
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import NamedTuple

from domain.causality.hybrid_clock import MAX_DRIFT_MS, ClockAhead, receive, send
from domain.context.canonical import is_plain
from domain.context.commands import PutContext
from domain.context.decide import Node, put
from domain.context.events import Written, stream_of
from domain.context.layers import Layers
from domain.context.priority import sync_priority
from domain.context.recording import recorded
from domain.context.residency import Residency
from domain.context.rules.conflict import TextMerge
from domain.context.rules.registry import resolve
from domain.context.state import Entry, absorb, join
from domain.context.versions import version_of
from domain.context.view import conflict_in
from domain.making import maker
from eventlog.codec import encode, encode_sound
from workers.outbox import Outbox
from workers.outbox_changes import Changes, Unsent

_IN_MEMORY = 20_000  # keys


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """The answer to a put: it is stored and will be on the log.

    `context_id` is the id of its event, `local_version` what the node now has of the key.
    `conflicts_detected` counts the writes that stand beside it; `requires_remote_resolution` says that no
    rule of the layer settles them.
    """

    success: bool = True
    context_id: str
    local_version: str
    conflicts_detected: int
    requires_remote_resolution: bool


_accepted = maker(Accepted)


class Wanted(NamedTuple):
    """A put, and what the region is known to have of its key beside what the node has."""

    command: PutContext
    heard: Entry | None = None


@dataclass(frozen=True, slots=True)
class Rules:
    """What a node decides by."""

    layers: Layers = field(default_factory=Layers)
    residency: Residency = field(default_factory=Residency)
    merge_text: TextMerge | None = None


class Deciding:
    """Not for several threads. `now_ms` is Unix milliseconds."""

    def __init__(
        self, outbox: Outbox, node: str, region: str, rules: Rules, now_ms: Callable[[], int]
    ) -> None:
        self._outbox, self._rules, self._now_ms = outbox, rules, now_ms
        self._node, self._region = node, region
        self._clock = outbox.clock
        self._seq = outbox.last
        self._known: OrderedDict[str, Entry] = OrderedDict()
        self._absent: set[str] = set()

    def recall(self, commands: Iterable[PutContext]) -> None:
        """Look up, all at once, what the node has of keys that are put next."""
        streams = {stream_of(self._region, command.layer, command.key) for command in commands}
        streams -= self._known.keys()
        found = self._outbox.entries(streams) if streams else {}
        self._known.update(found)
        self._absent = streams - found.keys()

    def put(self, wanted: Wanted, changes: Changes) -> Accepted:
        """Decide one put and add it to `changes`, which the caller stores before it answers.

        Raises:
            Refusal: nothing was added.
        """
        command, now = wanted.command, self._now_ms()
        stream = stream_of(self._region, command.layer, command.key)
        entry = self._joined(stream, wanted.heard, now)
        rules, node = self._rules, Node(self._node, self._region, self._clock)
        write = put(
            entry,
            command,
            node,
            now,
            layers=rules.layers,
            residency=rules.residency,
            merge_text=rules.merge_text,
        )
        event = recorded(write, self._region, rules.residency)
        # Its other parts were checked when they were made; a value may have been changed by its owner since.
        encoded = encode_sound(event) if is_plain(write.value) else encode(event)
        entry = absorb(entry, write)[0]
        # A put is later than what it answers, but a clock that runs wild is not carried to other keys by it.
        ahead = write.wall - now > MAX_DRIFT_MS
        self._clock = send(self._clock, now) if ahead else max(self._clock, write.clock)
        self._seq += 1
        changes.unsent.append(Unsent(self._seq, sync_priority(write.flags), write.wall, stream, encoded))
        self._keep(stream, entry, changes)
        return self._answer(event.id, write, entry)

    def heard(self, entry: Entry, changes: Changes) -> Entry:
        """Take in what the region has of a key; what the node has of it then."""
        stream = stream_of(self._region, entry.layer, entry.key)
        known = self._joined(stream, entry, self._now_ms())
        if known is None:
            raise AssertionError("what was heard is known")
        self._keep(stream, known, changes)
        return known

    def forget(self) -> None:
        """Read everything from the outbox again: a transaction failed."""
        self._known.clear()
        self._absent.clear()
        self._clock = max(self._clock, self._outbox.clock)

    def _joined(self, stream: str, heard: Entry | None, now: int) -> Entry | None:
        entry = self._entry(stream)
        if heard is None:
            return entry
        with suppress(ClockAhead):  # such a clock is not followed; a put is later than what it answers anyway
            self._clock = receive(self._clock, heard.newest, now)
        return heard if entry is None else join(entry, heard)

    def _entry(self, stream: str) -> Entry | None:
        entry = self._known.get(stream)
        if entry is not None:
            self._known.move_to_end(stream)
        elif stream not in self._absent:
            entry = self._outbox.entries([stream]).get(stream)
        return entry

    def _keep(self, stream: str, entry: Entry, changes: Changes) -> None:
        self._known[stream] = changes.entries[stream] = entry
        self._absent.discard(stream)
        changes.clock = self._clock
        while len(self._known) > _IN_MEMORY + len(changes.entries):
            self._known.popitem(last=False)

    def _answer(self, event: str, write: Written, entry: Entry) -> Accepted:
        beside = len(entry.siblings) - 1
        return _accepted(
            context_id=event,
            local_version=version_of(entry),
            conflicts_detected=beside,
            requires_remote_resolution=beside > 0 and self._undecided(entry, write.layer),
        )

    def _undecided(self, entry: Entry, layer: str) -> bool:
        rules = self._rules
        conflict = conflict_in(entry, rules.layers.named(layer), self._region, merge_text=rules.merge_text)
        return conflict is not None and resolve(conflict).resolution is None
