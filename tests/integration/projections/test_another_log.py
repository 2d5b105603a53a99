"""A log that was set back and has grown again is another log: nothing of it is skipped in silence."""

import pytest

from domain.refusal import Refusal
from eventlog.record import LogReplaced, RetentionLost
from projections.registry import BY_NAME
from tests.fakes.log_reader import MemoryReader
from tests.integration.projections.bed import history

OFFSETS = "SELECT projection, next_offset, refused FROM projection_offset ORDER BY 1"


async def a_projected_log(bed, names="ab"):
    for name in names:
        bed.log.append(history(name))
    await bed.project()
    await bed.project("deadletters")


def another_log(bed, *names):
    """As if an old copy of Kafka's folder had been put back, and been written to since."""
    bed.log = MemoryReader()
    for name in names:
        bed.log.append(history(name))


async def test_a_log_that_has_grown_past_the_offsets_of_another_is_refused_by_name(bed):
    await a_projected_log(bed)
    rows = await bed.rows("deliberation")
    another_log(bed, "a", "x", "y", "b")
    for _ in range(2):
        with pytest.raises(LogReplaced, match=r"decisions/0: .* offset 11 .*`moot rebuild --all`") as refused:
            await bed.project()
        assert await bed.rows("deliberation") == rows
        assert {row[2] for row in await bed.connection.fetch(OFFSETS) if row[1]} == {str(refused.value)}


async def test_when_the_right_log_is_back_it_is_projected_on_and_nothing_is_refused(bed):
    await a_projected_log(bed)
    right = bed.log
    another_log(bed, "a", "x", "y")
    with pytest.raises(LogReplaced):
        await bed.project()
    another_log(bed, "a")
    with pytest.raises(RetentionLost):
        await bed.project(end=99)
    bed.log = right
    bed.log.append(history("c"))
    await bed.project()
    assert await bed.versions() == {f"consensus/{name}": 6 for name in "abc"}
    assert not any(row[2] for row in await bed.connection.fetch(OFFSETS))
    assert await bed.differences() == []


@pytest.mark.parametrize("names", ["a", "ax", "axyz"], ids=["shorter", "as long", "longer"])
async def test_a_rebuild_of_all_goes_on_with_what_the_log_holds_now(bed, names):
    await a_projected_log(bed)
    another_log(bed, *names)
    await (await bed.rebuilding()).rebuild()
    bed.log.append(history("c"))
    await bed.project()
    assert await bed.versions() == {f"consensus/{name}": 6 for name in (*names, "c")}
    assert not any(row[2] for row in await bed.connection.fetch(OFFSETS))
    assert await bed.differences() == []


@pytest.mark.parametrize("names", ["a", "ax", "axyz"], ids=["shorter", "as long", "longer"])
async def test_a_rebuild_of_one_projection_alone_is_refused_and_changes_nothing(bed, names):
    await a_projected_log(bed)
    rows = await bed.rows("deliberation")
    another_log(bed, *names)
    with pytest.raises(Refusal, match="decisions/0 is another log than the one projected: only --all helps"):
        await (await bed.rebuilding([BY_NAME["consensus"]])).rebuild()
    assert await bed.rows("deliberation") == rows
