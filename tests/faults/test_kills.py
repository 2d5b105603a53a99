"""Kill -9 under running dockets: each item decided once, tables as the log says, the audit verifies."""

import time

import pytest

from tests.faults.truth import state_hashes

QUICK = ["projector"] * 3 + ["orchestrator"] * 2 + ["kafka", "postgres"]
LONG = {"projector": 50, "orchestrator": 20, "kafka": 10, "postgres": 10, "temporal": 5}
# How soon work goes on after a kill, in seconds; a machine that is busy otherwise gets three times that.
AIMS = {"projector": 5, "orchestrator": 10, "kafka": 10, "postgres": 10, "temporal": 10}
GROWTH = 100  # megabytes that a part may grow by while others are killed around it
LINES = 100  # a kill may make each part log so many


async def hold(scene, kills, parts):
    """Kill `parts` in turn under running dockets, then judge; all that was measured."""
    began = time.monotonic()
    scene.dockets.begin()
    for part in parts:
        await scene.dockets.alongside(kills.strike(part))
    items = await scene.dockets.finish(within=120)
    under_fire = time.monotonic() - began
    ledger, audited = await scene.judged(items), await scene.audited()
    return {
        "kills": kills.figures(),
        "items": len(items),
        "records": ledger.records,
        "repeated": ledger.repeated,
        "checkpoints": audited["checkpoints"],
        "seconds": round(under_fire),
        "judged_in": round(time.monotonic() - began - under_fire),
        "grown_megabytes": kills.grown(),
        "log_lines": kills.lines(),
    }


def too_slow(kills):
    return {p: s for p, seconds in kills.seconds.items() for s in seconds if s > 3 * AIMS[p]}


async def test_without_a_kill_all_is_well_and_a_changed_table_is_noticed(scene):
    scene.dockets.begin()
    await scene.judged(await scene.dockets.finish(within=60))
    doctored = "UPDATE deliberation SET agreement = 0.3 WHERE stream = (SELECT min(stream) FROM deliberation)"
    stored, folded = await state_hashes(scene.stack.settings, doctored)
    assert [name for name in folded if stored[name] != folded[name]] == ["consensus"]


async def test_kills_under_dockets_leave_every_item_decided_exactly_once(scene, kills, report):
    kills.calm = 0.5
    report(await hold(scene, kills, kills.chance.sample(QUICK, len(QUICK))))
    assert sum(len(seconds) for seconds in kills.seconds.values()) == len(QUICK)
    assert not too_slow(kills)


@pytest.mark.chaos
@pytest.mark.timeout(1800)
class TestForLong:
    """The same, each part on a stack of its own."""

    @pytest.fixture
    def stack(self, fresh):
        return fresh

    @pytest.mark.parametrize(("part", "times"), LONG.items())
    async def test_many_kills_lose_nothing_and_double_nothing(self, scene, kills, report, part, times):
        report(await hold(scene, kills, [part] * times))
        assert not too_slow(kills)
        assert max(kills.grown().values()) < GROWTH
        assert max(kills.lines().values()) < LINES * times
