"""Rebuilds beside the live tables, while a projector is at work and readers read."""

import asyncio
import contextlib

import asyncpg
import pytest

from domain.consensus.events import BallotCast
from domain.refusal import Refusal
from projections import filling, rebuild
from projections.fence import FenceLost
from projections.registry import BY_NAME
from projections.shadow import SCHEMA, Shadow
from tests.integration.projections.bed import discarded, event, history, running, until


async def a_log_with_everything(bed):
    bed.log.counts["decisions"] = 2
    for number in range(12):
        bed.log.append(history(f"n{number}"))
    bed.log.put(b"no event")
    bed.log.put(b"no event", b"consensus/n6")
    bed.log.append([event("consensus/n8", 9, BallotCast("v0", 1, "no"))])
    bed.log.append(history("n10"))  # again
    bed.log.append([discarded(f"decisions.0.{bed.log.end() - 9}")], topic="deadletters")
    for partition in (0, 1):
        await bed.project(partition=partition)
    await bed.project("deadletters")
    assert [kind for _, kind in await bed.parked()] == ["undecodable", "gap"]


async def test_a_rebuild_gives_the_same_rows(bed):
    await a_log_with_everything(bed)
    before = await bed.hashes()
    done = await (await bed.rebuilding()).rebuild()
    assert done.events == bed.log.end() + bed.log.end(partition=1) + 1
    assert await bed.hashes() == before
    assert await bed.differences() == []


@pytest.mark.parametrize("rows", [1, 3])
async def test_a_rebuild_that_must_find_rows_again_gives_the_same_rows(bed, monkeypatch, rows):
    await a_log_with_everything(bed)
    before = await bed.hashes()
    monkeypatch.setattr(filling, "ROWS", rows)
    monkeypatch.setattr(filling, "REMEMBERED", 1)
    monkeypatch.setattr("projections.pipeline.RECORDS", 2)
    await (await bed.rebuilding()).rebuild()
    assert await bed.hashes() == before


async def test_a_stream_that_comes_again_while_it_waits_to_be_written_counts_once(bed, monkeypatch):
    bed.log.append(history("a"))
    for number in range(4):
        bed.log.append(history(f"n{number}"))
    bed.log.append(history("a"))
    await bed.project()
    before = await bed.hashes()
    monkeypatch.setattr(filling, "ROWS", 100)
    monkeypatch.setattr(filling, "REMEMBERED", 1)
    monkeypatch.setattr("projections.pipeline.RECORDS", 2)
    await (await bed.rebuilding()).rebuild()
    assert await bed.rows("reputation", "voter, rulings") == [("v0", 5), ("v1", 5), ("v2", 5)]
    assert await bed.hashes() == before


async def test_a_rebuild_mends_what_was_changed_by_hand(bed):
    await a_log_with_everything(bed)
    before = await bed.hashes()
    await bed.connection.execute("UPDATE deliberation SET status = 'open' WHERE stream = 'consensus/n3'")
    await bed.connection.execute("DELETE FROM dead_letter")
    await bed.connection.execute("UPDATE reputation SET right_weight = right_weight + 1")
    assert await bed.hashes() != before
    await (await bed.rebuilding()).rebuild()
    assert await bed.hashes() == before


async def test_verify_names_the_first_row_that_differs_and_changes_nothing(bed):
    await a_log_with_everything(bed)
    before = await bed.hashes()
    assert {found.difference for found in await (await bed.rebuilding()).verify()} == {None}
    await bed.connection.execute("UPDATE deliberation SET rounds = 7 WHERE stream > 'consensus/n5'")
    edited = await bed.hashes()
    found = {one.projection: one for one in await (await bed.rebuilding()).verify()}
    assert found["consensus"].difference == "deliberation consensus/n6: rounds is 7, should be 1"
    assert found["consensus"].live.digest == edited["consensus"]
    assert found["consensus"].log.digest == before["consensus"]
    assert found["docket"].difference is None
    assert await bed.hashes() == edited


async def test_one_projection_is_rebuilt_alone(bed):
    await a_log_with_everything(bed)
    before = await bed.hashes()
    await bed.connection.execute("UPDATE deliberation SET status = 'open'")
    await bed.connection.execute("UPDATE discard SET who = 'nobody'")
    work = await bed.rebuilding([BY_NAME["consensus"]])
    await work.rebuild()
    after = await bed.hashes()
    assert after["consensus"] == before["consensus"]
    assert after["deadletters"] != before["deadletters"]
    await (await bed.rebuilding([BY_NAME["deadletters"]])).rebuild()
    assert await bed.hashes() == before


async def test_a_projector_and_readers_go_on_during_rebuilds(bed):
    for number in range(10):
        bed.log.append(history(f"n{number}"))
    await bed.project()
    seen = []

    async def follow():
        projector = await bed.projector()
        while True:
            try:
                await projector.follow()
            except FenceLost:
                continue

    async def read():
        connection = await bed.connect()
        while True:
            seen.append(await connection.fetchval("SELECT count(*) FROM deliberation"))
            await asyncio.sleep(0)

    async def write():
        number = 10
        while True:
            bed.log.append(history(f"n{number}"))
            number += 1
            await asyncio.sleep(0.002)

    async with running(follow()), running(read()), running(write()):
        for _ in range(3):
            await (await bed.rebuilding()).rebuild()
        end = bed.log.end()
        await until(lambda: _projected(bed, end), "what came during the rebuilds is projected")
    assert seen == sorted(seen)
    assert seen[0] >= 10
    assert await bed.differences() == []


async def _projected(bed, end):
    return await bed.connection.fetchval("SELECT min(next_offset) FROM projection_offset") >= end


async def test_a_rebuild_that_dies_leaves_the_live_tables_and_the_next_cleans_up(bed, monkeypatch):
    await a_log_with_everything(bed)
    before = await bed.hashes()

    async def die(*_):
        raise asyncio.CancelledError

    with monkeypatch.context() as killed:
        killed.setattr(Shadow, "finish", die)
        killed.setattr(Shadow, "drop", lambda self: self._connection.execute("SELECT 1"))
        with pytest.raises(asyncio.CancelledError):
            await (await bed.rebuilding()).rebuild()
    assert await bed.connection.fetchval("SELECT count(*) FROM pg_namespace WHERE nspname = $1", SCHEMA) == 1
    assert await bed.hashes() == before
    await (await bed.rebuilding()).rebuild()
    assert await bed.hashes() == before
    assert await bed.connection.fetchval("SELECT count(*) FROM pg_namespace WHERE nspname = $1", SCHEMA) == 0


async def test_only_one_rebuild_at_a_time(bed):
    await a_log_with_everything(bed)
    other = await bed.connect()
    await other.fetchval("SELECT pg_advisory_lock($1)", rebuild._LOCK)
    with pytest.raises(Refusal, match="another rebuild is at work"):
        await (await bed.rebuilding()).rebuild()


async def test_a_reader_who_holds_the_tables_is_not_broken(bed, monkeypatch):
    await a_log_with_everything(bed)
    monkeypatch.setattr(rebuild, "ATTEMPTS", 1)
    reader = await bed.connect()
    async with reader.transaction():
        before = await reader.fetch("SELECT * FROM deliberation ORDER BY 1")
        with pytest.raises(Refusal, match="they stay as they were"):
            await (await bed.rebuilding()).rebuild()
        assert await reader.fetch("SELECT * FROM deliberation ORDER BY 1") == before
    assert await bed.differences() == []


async def test_a_discard_in_the_middle_of_a_rebuild_counts(bed, monkeypatch):
    bed.log.append(history("a")[:2])
    bed.log.put(b"no event", b"consensus/a")
    bed.log.append(history("a")[2:])
    await bed.project()
    await bed.project("deadletters")
    once = [True]
    finish = Shadow.finish

    async def discard_meanwhile(self):
        if once:
            once.pop()
            bed.log.append([discarded("decisions.0.2", "consensus/a")], topic="deadletters")
            await bed.project("deadletters")
        await finish(self)

    monkeypatch.setattr(Shadow, "finish", discard_meanwhile)
    await (await bed.rebuilding()).rebuild()
    assert await bed.versions() == {"consensus/a": 6}
    assert await bed.parked() == []
    assert await bed.differences() == []


async def test_grants_and_keys_survive_the_swap(bed):
    await a_log_with_everything(bed)
    role = "reader_of_a_test"
    with contextlib.suppress(asyncpg.DuplicateObjectError):
        await bed.connection.execute(f"CREATE ROLE {role}")
    await bed.connection.execute(f"GRANT SELECT ON deliberation TO {role}")
    index = "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY indexname"
    options = (
        "SELECT relname, reloptions FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY 1"
    )
    before = await bed.connection.fetch(index), await bed.connection.fetch(options)
    await (await bed.rebuilding()).rebuild()
    assert (await bed.connection.fetch(index), await bed.connection.fetch(options)) == before
    assert await bed.connection.fetchval("SELECT has_table_privilege($1, 'deliberation', 'SELECT')", role)
    await bed.connection.execute(f"DROP OWNED BY {role}")
    await bed.connection.execute(f"DROP ROLE {role}")
