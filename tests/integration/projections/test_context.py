"""Shared context in a real Postgres: many writers, siblings, copies in other regions, any delivery."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.context.recording import recorded
from domain.context.residency import Residency
from projections import pipeline
from projections.engine import PartitionProjector
from tests.integration.projections.bed import Seen
from tests.unit.domain.context.given import deliveries, histories, wrote

SHARED = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
ANN, BOB = wrote("eu-1:1", {"free": 8}), wrote("us-1:1", {"closed": 2})
BOTH = wrote("eu-1:2", {"free": 9}, seen="eu-1:1 us-1:1")
SHOWN = "region, version, standing, dots, first_offset, last_offset"


def told(*writes, region="eu"):
    return [recorded(write, region, Residency()) for write in writes]


async def write(bed, *writes, region="eu"):
    bed.log.append(told(*writes, region=region), f"context.{region}")
    await bed.project(f"context.{region}")


async def test_two_concurrent_writes_stand_beside_each_other_until_one_has_seen_both(bed):
    await write(bed, ANN)
    await write(bed, BOB)
    assert await bed.rows("context_entry", SHOWN) == [("eu", 2, "settled", "eu-1:1,us-1:1", 0, 1)]
    ((siblings, resolution),) = await bed.rows("context_entry", "siblings, resolution", "stream")
    assert [one["value"] for one in json.loads(siblings)] == [{"closed": 2}, {"free": 8}]
    assert json.loads(resolution)["merged_context"] == {"closed": 2, "free": 8}
    await write(bed, BOTH)
    assert await bed.rows("context_entry", SHOWN) == [("eu", 3, "single", "eu-1:2", 0, 2)]
    assert await bed.parked() == []
    assert await bed.differences() == []


async def test_what_is_delivered_again_changes_no_row(bed):
    await write(bed, ANN, BOB, BOTH)
    before = await bed.rows("context_entry", f"{SHOWN}, last_id, siblings, causality")
    await write(bed, BOB, ANN, BOTH, BOB)
    assert await bed.rows("context_entry", f"{SHOWN}, last_id, siblings, causality") == before
    assert await bed.differences() == []


async def test_a_second_writers_first_write_finds_the_row_that_is_there(bed):
    """Both are number 1 of their node, each in a projector that remembers nothing."""
    bed.log.append(told(ANN, BOB), "context.eu")
    for end in (1, 2):
        seen = Seen()
        await PartitionProjector(bed.log, bed.connection, "context.eu", 0, seen).follow(end)
        assert seen.batches == [("context.eu", 0, 1)]
    assert await bed.rows("context_entry", SHOWN) == [("eu", 2, "settled", "eu-1:1,us-1:1", 0, 1)]


async def test_each_region_has_a_row_of_its_own_and_equal_ones_once_both_have_all(bed):
    await write(bed, ANN, BOB, region="eu")
    await write(bed, BOB, region="us")
    same = "standing, dots, siblings, resolution, causality, ancestors, newest_wall, expires_at_ms"
    here, there = await bed.rows("context_entry", f"region, {same}", "region")
    assert (here[0], there[0], here[2], there[2]) == ("eu", "us", "eu-1:1,us-1:1", "us-1:1")
    await write(bed, ANN, region="us")
    here, there = await bed.rows("context_entry", same, "region")
    assert here == there
    assert await bed.differences() == []


async def test_a_key_of_another_region_is_parked_and_changes_no_row_and_stops_none(bed):
    await write(bed, BOB, region="us")
    bed.log.append(told(ANN, region="us"), "context.eu")
    await write(bed, ANN)
    assert await bed.rows("dead_letter", "log_offset, kind, stream, reason") == [
        (0, "misfiled", None, "lies on context.eu, but its key belongs to another region")
    ]
    assert await bed.rows("context_entry", "region, dots") == [("eu", "eu-1:1"), ("us", "us-1:1")]
    await write(bed, ANN, region="us")
    assert await bed.differences() == []


@pytest.mark.parametrize("trusting", [True, False])
async def test_a_rebuild_has_the_same_hash_and_comes_to_the_same_rows(bed, trusting, monkeypatch):
    monkeypatch.setattr(pipeline, "RECORDS", 1 if trusting else 100)
    await write(bed, ANN, BOB, ANN)
    await write(bed, BOB, BOTH, region="us")
    before, rows = await bed.hashes(), await bed.rows("context_entry")
    work = await bed.rebuilding()
    assert {found.projection: found.difference for found in await work.verify()}["context"] is None
    await bed.connection.execute("UPDATE context_entry SET standing = 'expired' WHERE region = 'us'")
    assert (await bed.hashes())["context"] != before["context"]
    await work.rebuild()
    assert await bed.hashes() == before
    assert await bed.rows("context_entry") == rows


@SHARED
@given(writes=histories(), data=st.data(), records=st.sampled_from([1, 3, 100]))
async def test_any_delivery_in_any_batches_gives_one_row_and_no_dead_letter(bed, writes, data, records):
    await bed.empty()
    log = data.draw(deliveries(writes))
    stops = sorted(data.draw(st.sets(st.integers(1, len(log)), max_size=3)) | {len(log)})
    bed.log.append(told(*log), "context.eu")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(pipeline, "RECORDS", records)
        for stop in stops:
            await bed.project("context.eu", end=stop)
    assert await bed.parked() == []
    assert await bed.rows("context_entry", "version") == [(len(writes),)]
    assert await bed.differences() == []
