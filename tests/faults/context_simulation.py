"""Regions, nodes, links, tables and cases in one process: a seed decides what happens, and in what order.

The rules are those of the product: a node decides by `workers.deciding`, a link passes on by
`domain.context.passing`, a table is folded by `projections.context`, a case is asked for by
`domain.conflict.coalescing`. What the test makes up is when each has its turn, what is lost in between by a
kill, and how the network turns the order of things round.
"""

import hashlib
import random
from collections import defaultdict

from domain.context.commands import FLAGS, PutContext
from domain.context.events import Written, stream_of
from domain.context.layers import NAMES, layers_from
from domain.context.passing import by_urgency, own_write
from domain.context.recording import recorded
from domain.context.replica import canonical_bytes
from domain.context.residency import Pin, PinnedElsewhere, Residency
from domain.context.versions import version_of
from domain.event import Event
from eventlog.codec import decode, encode
from projections.context import ContextProjection
from projections.context_entry import Held
from tests.faults.context_record import Call, History, Key, Logged, Region, place_of
from tests.faults.simulated_cases import SimulatedCases
from tests.faults.simulated_node import SimulatedNode
from workers.deciding import Rules

REGIONS = ("asia", "eu", "us")
SKEW_MS = 600_000
PLACES: tuple[Key, ...] = (*((layer, key) for layer in NAMES for key in ("a", "b")), ("cultural", "pin/a"))
RESIDENCY = Residency((Pin(("eu",), key="pin/*"),))
RULES = Rules(layers_from({"cultural": {"precedence": ["eu", "us"]}}), RESIDENCY)
TURNS = {"put": 6, "get": 3, "drain": 6, "pass_on": 8, "project": 6, "react": 2, "cut": 1, "set_clock": 1}
START_MS = 1_800_000_000_000


class Table:
    """What a region's projector has made of the log so far."""

    def __init__(self) -> None:
        self.offset = 0
        self.rows: dict[Key, Held] = {}
        self.counted: dict[Key, int] = defaultdict(int)


class Simulation:
    """One run. What may be broken to see that the checker tells is a method of its own."""

    def __init__(self, seed: int, residency: Residency = RESIDENCY) -> None:
        self.chance = random.Random(seed)  # noqa: S311 # chance, not secrecy
        self.residency, self.time, self.numbers = residency, START_MS, 0
        self.calls: list[Call] = []
        self.logs: dict[str, list[bytes]] = {region: [] for region in REGIONS}
        self.tables = {region: Table() for region in REGIONS}
        self.links = {(one, other): 0 for one in REGIONS for other in REGIONS if one != other}
        self.away: set[object] = set()
        self.nodes = [SimulatedNode(f"{r}-{n}", r, RULES, self.chance) for r in REGIONS for n in range(1, 3)]
        self.projection = ContextProjection(RULES.layers)
        self.cases = SimulatedCases(self)
        for node in self.nodes:
            node.skew = self.chance.randint(-SKEW_MS, SKEW_MS)

    def run(self, turns: int = 250) -> History:
        """So many turns, then everything is healed and goes on until nothing moves."""
        for _ in range(turns):
            self.time += self.chance.randint(0, 30_000)
            (turn,) = self.chance.choices([*TURNS], [*TURNS.values()])
            getattr(self, turn)()
        self.heal()
        for node in self.nodes:
            for place in PLACES:
                if self.residency.allows(*place, node.region):
                    self._get(node, place)
        regions = tuple(map(self._region, REGIONS))
        return History(tuple(self.calls), regions, self.residency, tuple(self.cases.told.values()))

    def put(self) -> None:
        node, place = self._somebody()
        self.numbers += 1
        said = f"v{self.numbers}"
        call = self._call(node, "put", place, self._value(place[0], said))
        stream = stream_of(node.region, *place)
        row = self.tables[node.region].rows.get(place)
        heard = row.entry if row is not None and self.chance.random() < 0.4 else None
        stated = None
        if self.chance.random() < 0.2:
            stated = version_of(node.version(stream, heard)) if self.chance.random() < 0.7 else "nobody:1"
        flags = tuple(flag for flag in FLAGS if self.chance.random() < 0.1)
        node.put(call, PutContext(*place, call.value, "ann", flags, if_version=stated), heard)
        call.ended = self.moment()

    def get(self) -> None:
        self._get(*self._somebody())

    def drain(self) -> None:
        """A node sends some of what waits; killed before it strikes them off, it sends them again."""
        node = self.chance.choice(self.nodes)
        if node.name not in self.away:
            self._drain(node, self.chance.randint(1, 5), killed=self.chance.random() < 0.15)

    def pass_on(self) -> None:
        link = self.chance.choice([*self.links])
        if link not in self.away:
            self._pass_on(link, self.chance.randint(1, 12), killed=self.chance.random() < 0.15)

    def project(self) -> None:
        self._project(self.chance.choice(REGIONS), self.chance.randint(1, 12))

    def react(self) -> None:
        self.cases.turn(self.chance)

    def cut(self) -> None:
        """A link, or a node's way to its log, is cut or healed; or a network delivers something again."""
        one = self.chance.choice([*self.links, *(node.name for node in self.nodes)])
        self.away.symmetric_difference_update({one})
        region = self.chance.choice(REGIONS)
        self.logs[region] += self.chance.choices(self.logs[region], k=2) if self.logs[region] else []

    def set_clock(self) -> None:
        self.chance.choice(self.nodes).skew = self.chance.randint(-SKEW_MS, SKEW_MS)

    def heal(self) -> None:
        self.away.clear()
        before = None
        while before != (before := self._standing()):
            for node in self.nodes:
                self._drain(node, 10_000)
            for link in self.links:
                self._pass_on(link, 10_000)
            for region in REGIONS:
                self._project(region, 10_000)
            self.cases.finish()

    def passed(self, link: tuple[str, str], batch: list[Event]) -> list[bytes]:
        """What of a batch of the source's log goes to the target's: the urgent first, or in any order."""
        source, target = link
        groups = by_urgency(write for event in batch if (write := own_write(event, source)) is not None)
        found = []
        for write in (one for group in groups for one in group):
            try:
                found.append(encode(recorded(write, target, self.residency)))
            except PinnedElsewhere:
                continue
        if self.chance.random() < 0.3:
            self.chance.shuffle(found)
        return found

    def folded(self, held: Held | None, event: Event) -> Held:
        return self.projection.fold(held, event)

    def ruled(self, region: str, write: Written) -> None:
        self.append(region, [encode(recorded(write, region, self.residency))])

    def moment(self) -> int:
        self.numbers += 1
        return self.numbers

    def append(self, region: str, values: list[bytes]) -> None:
        self.logs[region] += values

    def _get(self, node: SimulatedNode, place: Key) -> None:
        call = self._call(node, "get", place)
        row = self.tables[node.region].rows.get(place)
        node.get(call, stream_of(node.region, *place), row.entry if row is not None else None)
        call.ended = self.moment()

    def _drain(self, node: SimulatedNode, most: int, *, killed: bool = False) -> None:
        some = node.outbox.waiting[:most]
        self.append(node.region, [one.event for one in some])
        if not killed:
            node.outbox.sent({one.seq for one in some})

    def _pass_on(self, link: tuple[str, str], most: int, *, killed: bool = False) -> None:
        start = self.links[link]
        some = self.logs[link[0]][start : start + most]
        self.append(link[1], self.passed(link, [decode(value) for value in some]))
        if not killed:
            self.links[link] = start + len(some)

    def _project(self, region: str, most: int) -> None:
        table = self.tables[region]
        some = self.logs[region][table.offset : table.offset + most]
        for event in map(decode, some):
            place = place_of(event.data)
            held = table.rows.get(place)
            after = self.folded(held, event)
            table.counted[place] += after is not held
            table.rows[place] = after
        table.offset += len(some)

    def _somebody(self) -> tuple[SimulatedNode, Key]:
        return self.chance.choice(self.nodes), self.chance.choice(PLACES)

    def _call(self, node: SimulatedNode, kind, place: Key, value=None) -> Call:
        node.time = self.time
        call = Call(node.name, node.region, kind, place, self.moment(), value)
        self.calls.append(call)
        return call

    def _value(self, layer: str, said: str):
        if layer == "historical":
            return {"at": f"2026-01-01T00:00:{self.numbers % 60:02}+00:00", "said": said}
        if layer == "situational":
            return {self.chance.choice("xyz"): said} | (
                {"w": f"{said}w"} if self.chance.random() < 0.3 else {}
            )
        return said

    def _standing(self):
        lengths = [len(log) for log in self.logs.values()]
        return lengths, len(self.cases.told), [table.offset for table in self.tables.values()]

    def _region(self, name: str) -> Region:
        table = self.tables[name]
        events = [(decode(value), value) for value in self.logs[name]]
        log = tuple(Logged(event.id, value, event.data) for event, value in events)
        entries = {place: held.entry for place, held in table.rows.items()}
        digest = hashlib.sha256()
        for place in sorted(entries):
            if self.residency.regions(*place) is None:
                digest.update(canonical_bytes(entries[place]))
        return Region(name, log, entries, dict(table.counted), digest.hexdigest())
