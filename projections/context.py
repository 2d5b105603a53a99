"""The read model of shared context: what each region has of each key, and what its rules made of it."""

from collections.abc import Iterable, Sequence
from typing import Any

from domain.context.commands import MAX_KEY
from domain.context.events import Written, stream_of
from domain.context.layers import Layers
from domain.context.policy import rules_digest
from domain.context.recording import wall_of
from domain.context.rules.conflict import Resolution, TextMerge
from domain.context.rules.registry import resolve
from domain.context.state import Entry, absorb
from domain.context.view import conflict_in
from domain.event import Event
from domain.refusal import ImpossibleEvent
from projections.context_entry import (
    CONTEXT_ENTRY,
    EXPIRED,
    SETTLED,
    SINGLE,
    UNDECIDED,
    Held,
    from_row,
    resolution_text,
    to_row,
)
from projections.projection import Addition


class ContextProjection:
    """Entries by stream, of every region. `layers` are the rules that settle siblings.

    Any number of nodes write a stream, so its order says nothing: a write that is there already gives the
    state back that it was given, and no other one does.
    """

    name = "context"
    topic = "context"
    category = "context"
    home = CONTEXT_ENTRY
    totals = None
    adding = frozenset[type]()
    numbered = False

    def __init__(self, layers: Layers | None = None) -> None:
        self.settle_by(layers or Layers())

    def settle_by(self, layers: Layers, texts: str = "", merge_text: TextMerge | None = None) -> None:
        """Settle siblings by these rules: once for a process, before anything is folded.

        `texts` is the name of `merge_text`, by which rows say that it was there.
        """
        self.layers, self.texts, self.merge_text = layers, texts, merge_text
        self.rules = rules_digest(layers, texts)

    def fold(self, state: Held | None, event: Event) -> Held:
        write = event.data
        if not isinstance(write, Written):
            raise ImpossibleEvent("type", f"{event.type} in the stream of a key")
        if event.version != write.counter:
            raise ImpossibleEvent("streamversion", f"is {event.version}, and the dot's {write.counter}")
        if wall_of(event) != write.wall:
            raise ImpossibleEvent("time", "is not that of the write's clock")
        if state is None:
            region = self._region_of(event.stream, write)
            return Held(region, absorb(None, write)[0], SINGLE, None)
        entry, standing = absorb(state.entry, write)
        if standing == "duplicate" and entry == state.entry:
            return state
        siblings = len(entry.siblings)
        if siblings == 1:
            return Held(state.region, entry, SINGLE, None)
        return self._settled(state.region, entry) if siblings else Held(state.region, entry, EXPIRED, None)

    def adds(self, state: Held, event: Event) -> Iterable[Addition]:  # noqa: ARG002 # nothing is summed up
        return ()

    def settled(self, state: Held) -> bool:  # noqa: ARG002 # a key may always be written again
        return False

    def row(self, state: Held) -> tuple[Any, ...]:
        return to_row(state)

    def state(self, values: Sequence[Any]) -> Held:
        return from_row(values)

    def _settled(self, region: str, entry: Entry) -> Held:
        """What the layer's rule makes of the siblings; here, because a rule that fails must stop this key."""
        conflict = conflict_in(entry, self.layers.named(entry.layer), region, merge_text=self.merge_text)
        if conflict is None:
            raise AssertionError("two siblings are a conflict")
        found = resolve(conflict)
        standing = UNDECIDED if found.resolution is None else SETTLED
        return Held(region, entry, standing, resolution_text(found, Resolution._fields))

    def _region_of(self, stream: str, write: Written) -> str:
        self.layers.named(write.layer)
        if len(write.key) > MAX_KEY:
            raise ImpossibleEvent("key", f"has {len(write.key)} characters, and may have {MAX_KEY}")
        region = stream.partition("/")[2].partition(".")[0]
        if stream != stream_of(region, write.layer, write.key):
            raise ImpossibleEvent("subject", "is not the stream of the write's layer and key")
        return region
