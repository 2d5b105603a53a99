"""A topic with another number of partitions than it was projected with: refused by name, not taken apart."""

import asyncio

import pytest

from domain.refusal import Refusal
from projections import fence
from projections.registry import standing_on
from tests.integration.projections.bed import history

REFUSED = (
    r"topic decisions: has 6 partitions on the cluster, but was projected with 4, .*FOLKMOOT_TOPIC_PREFIX"
)


@pytest.fixture
async def raised(bed):
    """A topic that was raised from 4 to 6 partitions after some of it was projected."""
    bed.log.counts["decisions"] = 4
    for number in range(20):
        bed.log.append(history(f"n{number}"))
    await bed.project(partition=1)
    bed.log.counts["decisions"] = 6
    return bed


@pytest.mark.parametrize("partition", [0, 1, 5], ids=["not begun", "begun", "new"])
async def test_a_projector_refuses_it(raised, partition):
    with pytest.raises(Refusal, match=REFUSED):
        await raised.project(partition=partition, end=1)


async def test_what_is_as_it_was_goes_on(raised):
    raised.log.counts["decisions"] = 4
    for partition in range(4):
        await raised.project(partition=partition)
    assert set((await raised.versions()).values()) == {6}
    assert len(await raised.versions()) == 20
    assert await raised.parked() == []


async def test_a_rebuild_can_look_before_it_begins(raised):
    with pytest.raises(Refusal, match=REFUSED):
        await fence.check_partitions(raised.connection, "decisions", standing_on("decisions"), 6)
    await fence.check_partitions(raised.connection, "decisions", standing_on("decisions"), 4)


async def test_projectors_that_come_first_together_agree_on_the_number(bed):
    bed.log.counts["decisions"] = 4
    await asyncio.gather(*[(await bed.projector(partition=n)).follow(0) for n in range(4)])
    assert len(await bed.rows("projection_offset", "projection, topic, partition")) == 4 * 4
