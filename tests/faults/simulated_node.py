"""A node in one process with the tests: it decides as every node does, over an outbox in memory."""

from random import Random

from domain.causality.hybrid_clock import ZERO
from domain.context.commands import PutContext
from domain.context.state import Entry
from domain.context.versions import dots_of
from domain.refusal import Refusal
from tests.faults.context_record import Call
from workers.context_reading import found, joined
from workers.deciding import Deciding, Rules, Wanted
from workers.outbox_changes import Changes, Unsent


class MemoryOutbox:
    """What survives a kill: writes that wait, and what the node has of each key."""

    def __init__(self) -> None:
        self.clock, self.last = ZERO, 0
        self.replica: dict[str, Entry] = {}
        self.waiting: list[Unsent] = []

    def entries(self, streams) -> dict[str, Entry]:
        return {stream: self.replica[stream] for stream in streams if stream in self.replica}

    def store(self, changes: Changes) -> None:
        self.waiting = sorted([*self.waiting, *changes.unsent], key=lambda one: (-one.priority, one.seq))
        self.last = max([self.last, *(one.seq for one in changes.unsent)])
        self.replica |= changes.entries
        self.clock = max(self.clock, changes.clock)

    def sent(self, seqs) -> None:
        self.waiting = [one for one in self.waiting if one.seq not in seqs]


class SimulatedNode:
    """`skew` are the milliseconds by which its clock is ahead of the world's."""

    def __init__(self, name: str, region: str, rules: Rules, chance: Random) -> None:
        self.name, self.region, self.rules, self.chance = name, region, rules, chance
        self.outbox, self.skew, self.time = MemoryOutbox(), 0, 0
        self.restart()

    def restart(self) -> None:
        """What follows a kill: all but the outbox is forgotten."""
        self.deciding = Deciding(self.outbox, self.name, self.region, self.rules, self.now)

    def now(self) -> int:
        return self.time + self.skew

    def put(self, call: Call, command: PutContext, heard: Entry | None) -> None:
        """Decide, store and answer; killed in between now and then, so that nobody knows."""
        changes, fate = Changes(), self.chance.random()
        try:
            accepted = self.deciding.put(Wanted(command, heard), changes)
        except Refusal:
            call.outcome = "fail"
            return
        if fate < 0.05:
            self.restart()
            return
        self.outbox.store(changes)
        if fate < 0.1:
            self.restart()
            return
        call.outcome, call.event = "ok", accepted.context_id
        call.dots = dots_of(accepted.local_version)

    def get(self, call: Call, stream: str, projected: Entry | None) -> None:
        """As a client reads: what is projected joins what the node has."""
        changes = Changes()
        entry = projected and self.deciding.heard(projected, changes)
        self.outbox.store(changes)
        if entry is None:
            entry = self.outbox.replica.get(stream)
        shown = found(self.region, *call.place, entry, self.rules, now_ms=self.now())
        call.outcome, call.dots = "ok", dots_of(shown.version)
        call.value = shown.value if shown.present else None

    def version(self, stream: str, heard: Entry | None) -> Entry | None:
        return joined(self.outbox.replica.get(stream), heard)
