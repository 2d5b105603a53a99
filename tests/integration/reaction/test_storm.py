"""A storm is taken in at once and decided in turn: bounded, the urgent first, nothing lost or doubled."""

import time
from types import SimpleNamespace

import pytest

from bench.storm import Storm as Measured
from bench.storm import absorb
from tests.integration.reaction.conftest import DEADLINE
from tests.integration.reaction.storm import Storm, most_at_once, reaction
from workers.reacting import Reactor

BOUND = 20
LONG = [pytest.mark.chaos, pytest.mark.timeout(25_000)]
SHORT = pytest.mark.timeout(300)  # on a quiet machine it takes a tenth of that
_WAITING = "SELECT count(*) FROM context_entry WHERE standing = 'undecided'"
_CASES = "SELECT stream, status FROM conflict_case ORDER BY opened_at, version"


@pytest.mark.parametrize(
    "count",
    [pytest.param(60, marks=SHORT), pytest.param(1_000, marks=LONG), pytest.param(10_000, marks=LONG)],
)
async def test_a_storm_is_absorbed_and_decided_within_the_bound_the_urgent_first(bed, count, record_property):
    storm = Storm.of(count)
    began = time.monotonic()
    await storm.write(bed)

    async def absorbed():
        return await bed.rows(_WAITING) == [(count,)]

    await bed.until(absorbed)
    record_property(f"{count:,} conflicts absorbed, s", round(time.monotonic() - began, 1))
    began = time.monotonic()
    reactor = Reactor(bed.settings, reaction(BOUND), client=bed.client, task_queue=bed.queue, every=0.05)
    async with bed.reacting(reactor):

        async def decided():
            return (await bed.rows("SELECT count(closed_at) FROM conflict_case"))[0][0] >= count

        await bed.until(decided, within=120 + 2 * count)
    record_property("of them decided, cases/s", round(count / (time.monotonic() - began), 2))
    cases = await bed.rows(_CASES)
    assert sorted(stream for stream, _ in cases) == storm.cases
    assert {status for _, status in cases} == {"resolved"}
    turns = [stream in storm.urgent for stream, _ in cases]
    last_urgent = count - turns[::-1].index(True)
    assert last_urgent - len(storm.urgent) < BOUND  # those that were started together began in any order

    async def ended():
        return all(ended for _, _, ended in await storm.runs(bed.client))

    await bed.until(ended)
    runs = await storm.runs(bed.client)
    assert sorted(case for case, _, _ in runs) == storm.cases
    record_property("workflows of cases open at once", most_at_once(runs))
    assert most_at_once(runs) <= BOUND


async def test_a_measured_storm_is_absorbed_when_both_writes_of_every_key_are_in_the_tables(bed):
    found = Measured()
    await absorb(SimpleNamespace(settings=bed.settings), found, 5)
    rows = await bed.rows("SELECT standing, version FROM context_entry")
    assert rows == [("undecided", 2)] * 5
    assert 0 < found.absorbed < DEADLINE
