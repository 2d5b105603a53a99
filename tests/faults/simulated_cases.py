"""Cases as the reactor opens them and rulings as they are applied; who opens and who applies is killed."""

from random import Random

from domain.causality.causal_context import Dot
from domain.conflict.case import ContextKey
from domain.conflict.coalescing import NO_RECORD, GrowOpenCase, KeyRecord, StartCase, close, coalesce
from domain.conflict.reaction import Reaction, home_region, reported
from domain.context.decide import rule
from domain.context.events import Written
from projections.context_entry import UNDECIDED
from tests.faults.context_record import Key, Opened

REACTION = Reaction()


class SimulatedCases:
    """`told` is what the log of decisions says of each case; the reactor sees it only some turns later."""

    def __init__(self, world) -> None:
        self.world = world
        self.told: dict[str, Opened] = {}
        self.running: dict[str, tuple[str, Key, dict[Dot, Written]]] = {}
        self._happened: list[tuple[str, Key, str, tuple[Dot, ...]]] = []
        self._projected = 0

    def turn(self, chance: Random) -> None:
        """A look, a projection of the decisions, or the end of a case."""
        what = chance.random()
        if what < 0.6:
            for region in self.world.tables:
                self._look(region)
        elif what < 0.7:
            self._projected = min(len(self._happened), self._projected + chance.randint(1, 3))
        elif self.running:
            self._rule(chance.choice(sorted(self.running)), chance.randint(1, 2))

    def finish(self) -> None:
        self._projected = len(self._happened)
        for region in self.world.tables:
            self._look(region)
        for case in sorted(self.running):
            self._rule(case, 1)

    def named(self, start: StartCase) -> str:
        """The id under which Temporal is asked for the case; it takes each id once."""
        return start.case

    def ruling(self, case: str, region: str, covers: list[Written], at_ms: int) -> Written:
        """The write of a case that was closed at that time."""
        value = covers[0].value
        return rule(covers, value, case=case, number=1, writer=case, region=region, now_ms=at_ms)

    def _look(self, region: str) -> None:
        for place, held in self.world.tables[region].rows.items():
            homes = self.world.residency.regions(*place) or self.world.tables.keys()
            if held.standing != UNDECIDED or home_region(*place, sorted(homes)) != region:
                continue
            siblings = {write.dot: write for write in held.entry.siblings}
            flags = {flag for write in siblings.values() for flag in write.flags}
            _, asked = coalesce(self._record(place), reported(ContextKey(*place), siblings, flags, REACTION))
            if isinstance(asked, StartCase) and (case := self.named(asked)) not in self.told:
                self.told[case] = Opened(case, place, self.world.moment())
                self.running[case] = region, place, {dot: siblings[dot] for dot in asked.dots}
                self._happened.append((case, place, "opened", asked.dots))
            elif isinstance(asked, GrowOpenCase) and asked.case in self.running:
                self.running[asked.case][2].update((dot, siblings[dot]) for dot in asked.dots)
                self._happened.append((asked.case, place, "grown", asked.dots))

    def _record(self, place: Key) -> KeyRecord:
        record = NO_RECORD
        for case, of, what, dots in self._happened[: self._projected]:
            if of == place and what == "closed":
                record = close(record, case, dots)
            elif of == place:
                record = KeyRecord(case, record.dots | set(dots), record.settled, record.closed)
        return record

    def _rule(self, case: str, times: int) -> None:
        """The ruling is appended, and again where the first answer was lost."""
        region, place, covers = self.running.pop(case)
        dots, at = tuple(sorted(covers)), self.world.time
        self.told[case] = self.told[case]._replace(closed=self.world.moment(), covers=dots)
        self._happened.append((case, place, "closed", dots))
        for _ in range(times):
            write = self.ruling(case, region, [covers[dot] for dot in dots], at)
            self.world.ruled(region, write)
