"""Runs of regions in memory keep every promise, and the checker names what a broken part breaks."""

from collections import Counter
from dataclasses import replace

import pytest

from domain.context.residency import Residency
from domain.context.state import Entry
from eventlog.codec import decode, encode
from tests.faults import context_simulation
from tests.faults.context_history import violations
from tests.faults.context_simulation import Simulation
from tests.faults.simulated_cases import SimulatedCases
from tests.faults.simulated_node import SimulatedNode

SEEDS = [range(20), pytest.param(range(20, 2_000), marks=[pytest.mark.chaos, pytest.mark.timeout(1_800)])]
TRIES = 60  # seeds until a broken part must have shown


@pytest.mark.parametrize("seeds", SEEDS, ids=str)
def test_cuts_kills_repetitions_and_clocks_minutes_apart_break_no_promise(seeds):
    outcomes, cases = Counter(), 0
    for seed in seeds:
        history = Simulation(seed).run()
        assert violations(history) == [], f"seed {seed}"
        outcomes.update((call.kind, call.outcome) for call in history.calls)
        cases += len(history.cases)
        for region in history.regions:
            assert len({one.event for one in region.log}) < len(region.log)  # something came again
    assert set(outcomes) == {("put", "ok"), ("put", "fail"), ("put", "info"), ("get", "ok")}
    assert cases > len(seeds)


class ArrivalWins(Simulation):
    """A replica that keeps what came last, whatever it had seen."""

    def folded(self, held, event):
        after = super().folded(held, event)
        if held is None or after is held:
            return after
        entry: Entry = after.entry
        return after._replace(entry=entry._replace(siblings=(event.data,)))


class CommitsFirst(Simulation):
    """A replicator that keeps its place before the target has what it read."""

    def _pass_on(self, link, most, *, killed=False):
        if killed:
            self.links[link] += most
        else:
            super()._pass_on(link, most)


class StrikesOffFirst(Simulation):
    """A node that strikes writes off its outbox before the log has them."""

    def _drain(self, node, most, *, killed=False):
        if killed:
            node.outbox.sent({one.seq for one in node.outbox.waiting[:most]})
        else:
            super()._drain(node, most)


class PassesOnAnew(Simulation):
    """A replicator that stamps what it copies with the time of the copy."""

    def passed(self, link, batch):
        found = []
        for value in super().passed(link, batch):
            event = decode(value)
            found.append(encode(replace(event, data=replace(event.data, writer=str(self.moment())))))
        return found


class ForgetfulNode(SimulatedNode):
    """A node that counts its writes in memory and begins again when it is started."""

    def restart(self):
        self.outbox.replica.clear()
        super().restart()


class IdsOfSiblings(SimulatedCases):
    """A reactor that names a case after its siblings."""

    def named(self, start):
        return f"{start.case}-{len(start.dots)}"


class StampedRulings(SimulatedCases):
    """An activity that gives a ruling another number with each attempt."""

    def ruling(self, case, region, covers, at_ms):
        write = super().ruling(case, region, covers, at_ms)
        return replace(write, counter=self.world.moment())


def _with(part, broken):
    def run(monkeypatch, seed):
        monkeypatch.setattr(context_simulation, part, broken)
        monkeypatch.setattr(context_simulation, "PLACES", (("situational", "a"),))  # where conflicts are many
        return Simulation(seed)

    return run


BROKEN = {
    "arrival wins": (lambda _, seed: ArrivalWins(seed), {"misfolded", "siblings", "diverged"}),
    "commits first": (lambda _, seed: CommitsFirst(seed), {"missing", "diverged"}),
    "strikes off first": (lambda _, seed: StrikesOffFirst(seed), {"lost", "unlogged"}),
    "copies anew": (lambda _, seed: PassesOnAnew(seed), {"forked", "diverged"}),
    "pins ignored": (lambda _, seed: Simulation(seed, Residency()), {"misplaced"}),
    "counts in memory": (_with("SimulatedNode", ForgetfulNode), {"forked"}),
    "ids of siblings": (_with("SimulatedCases", IdsOfSiblings), {"opened twice"}),
    "rulings anew": (_with("SimulatedCases", StampedRulings), {"ruled"}),
}


@pytest.mark.parametrize(("made", "named"), BROKEN.values(), ids=BROKEN)
def test_a_part_that_breaks_a_promise_is_found_out(monkeypatch, made, named):
    found = set()
    for seed in range(TRIES):
        history = made(monkeypatch, seed).run(150)
        found |= {one.kind for one in violations(replace(history, residency=context_simulation.RESIDENCY))}
        if named <= found:
            return
    pytest.fail(f"of {sorted(named)} only {sorted(found)} was named")
