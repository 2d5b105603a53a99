"""The sealer on a real Kafka and Postgres: every record once, checkpoints published, one history."""

import asyncio
import contextlib
import os
import random
import sys

import asyncpg
import pytest

from audit import merkle
from audit.checkpoint import open_checkpoint
from audit.note import SigningKey
from audit.tiles import split_hashes
from eventlog.codec import decode
from eventlog.reader import LogReader
from eventlog.writer import LogWriter
from projections import checkpoints, schema, sealing
from projections import merkle as tiles
from tests.unit.audit.rfc6962 import root_of


async def read(bed, topic, partition):
    async with LogReader(bed.kafka, bed.prefix) as reader:
        _, end = await reader.beginning_and_end(topic, partition)
        return [record async for batch in reader.batches(topic, partition, 0, end) for record in batch]


async def published_events(bed):
    return [decode(record.value) for record in await read(bed, "checkpoints", 0)]


async def assert_all_is_sealed_once(bed, partition, database=None):
    """Leaves are the records, and checkpoints 1, 2, 3, … lead to their roots and are all published."""
    log = [record.value for record in await read(bed, "decisions", partition)]
    connection = await asyncpg.connect(database or bed.database)
    try:
        stored = await tiles.packed_leaves(connection, "decisions", partition, 0, 10_000)
        spans = await tiles.spans(connection, "decisions", partition)
        rows = await checkpoints.at_least(connection, "decisions", partition)
    finally:
        await connection.close()
    assert [h for hashes in stored for h in split_hashes(hashes)] == [merkle.leaf_hash(v) for v in log]
    assert [span.first_offset for span in spans] == [span.tile * 256 for span in spans]
    assert spans[-1].last_offset == len(log) - 1
    assert rows[-1].size == len(log)
    for row in rows:
        opened = open_checkpoint(row.note.encode(), [bed.key.verifier], bed.origin(partition))
        assert (opened.size, opened.root) == (row.size, row.root)
        assert row.root == root_of(log[: row.size])
    assert [row.version for row in rows] == list(range(1, len(rows) + 1))
    stream = f"checkpoints/decisions.{partition}"
    found = [event for event in await published_events(bed) if event.stream == stream]
    events = {(event.version, event.id): event.data.checkpoint for event in found}
    assert list(events.values()) == [row.note for row in rows]
    assert all(row.published for row in rows)


async def test_every_record_is_sealed_and_every_checkpoint_published(bed):
    partition = await bed.write(700)
    async with bed.sealing():
        await bed.sealed_up_to(700, partition)
        await bed.write(3)
        await bed.sealed_up_to(703, partition)
    await assert_all_is_sealed_once(bed, partition)


async def test_a_stopped_sealer_goes_on_where_it_stood_and_an_idle_log_is_not_sealed_again(bed):
    partition = await bed.write(300)
    for size in (300, 301, 600):
        await bed.write(size - (await bed.length(partition)))
        async with bed.sealing():
            await bed.sealed_up_to(size, partition)
    before = len(await published_events(bed))
    async with bed.sealing():
        other = await bed.write(1, "consensus/another")
        await bed.sealed_up_to(1, other)
    assert other != partition
    assert len(await published_events(bed)) == before + 1
    await assert_all_is_sealed_once(bed, partition)


async def test_two_sealers_at_once_seal_every_record_once(bed):
    partition = await bed.write(10)
    async with bed.sealing(), bed.sealing():
        for size in range(60, 460, 50):
            await bed.write(50)
            await bed.sealed_up_to(size, partition)
    await assert_all_is_sealed_once(bed, partition)


async def test_a_sealer_killed_at_any_moment_loses_and_doubles_nothing(bed):
    program = (
        "import asyncio, sys; from audit.sealer import Sealer;"
        "kafka, prefix, url, place = sys.argv[1:];"
        "s = Sealer(kafka=kafka, prefix=prefix, database_url=url, cluster='example', signing_key=place,"
        " interval=0.01);"
        "asyncio.run(s.run(asyncio.Event()))"
    )
    arguments = [sys.executable, "-c", program, bed.kafka, bed.prefix, bed.database, bed.place]
    partition, chance = await bed.write(1), random.Random(7)  # noqa: S311 # which moment, not a secret
    for _ in range(4):
        child = await asyncio.create_subprocess_exec(*arguments, stderr=asyncio.subprocess.DEVNULL)
        await bed.write(200)
        wanted = await bed.length(partition) - chance.randrange(200)
        await bed.sealed_up_to(wanted, partition)
        for _ in range(chance.randrange(3)):
            await bed.write(7)
        child.kill()
        await child.wait()
    async with bed.sealing():
        await bed.sealed_up_to(await bed.length(partition), partition)
    await assert_all_is_sealed_once(bed, partition)


async def test_a_checkpoint_that_was_kept_but_not_published_is_published_by_the_next_start(bed, monkeypatch):
    calls = []

    async def failing(writer, topic, events):
        calls.append(topic)
        monkeypatch.undo()
        raise TimeoutError("as if the process ended here")

    partition = await bed.write(5)
    monkeypatch.setattr(LogWriter, "append", failing)
    async with bed.sealing():
        await bed.sealed_up_to(5, partition)
    assert calls == ["checkpoints"]
    await assert_all_is_sealed_once(bed, partition)


async def test_a_checkpoint_published_twice_is_the_same_event(bed):
    partition = await bed.write(5)
    async with bed.sealing():
        await bed.sealed_up_to(5, partition)
    async with bed.connection() as connection:  # as if it ended after the append, with the topic read on
        await connection.execute("UPDATE checkpoint SET published = false")
        await bed.taken_in(connection, 2)  # the key's beginning, and a checkpoint
    async with bed.sealing():
        await bed.sealed_up_to(5, partition)
    _, first, second = await published_events(bed)
    assert first == second


async def test_a_lost_database_is_filled_again_and_the_numbers_go_on(bed, postgres_server):
    partition = await bed.write(300)
    async with bed.sealing():
        await bed.sealed_up_to(300, partition)
        await bed.write(10)
        await bed.sealed_up_to(310, partition)
    async with fresh(postgres_server, bed.database) as rebuilt:
        await schema.upgrade(rebuilt)
        bed.database = rebuilt
        async with bed.sealing() as sealer:
            await bed.write(10)
            await bed.sealed_up_to(320, partition)
            assert sealer.stopped == {}
        await assert_all_is_sealed_once(bed, partition, rebuilt)


async def test_an_old_database_under_a_newer_log_catches_up(bed, postgres_server):
    partition = await bed.write(20)
    async with bed.sealing():
        await bed.sealed_up_to(20, partition)
    async with fresh(postgres_server, bed.database, copied=True) as old:
        async with bed.sealing():
            await bed.write(300)
            await bed.sealed_up_to(320, partition)
        bed.database = old
        async with bed.sealing() as sealer:
            await bed.write(1)
            await bed.sealed_up_to(321, partition)
            assert sealer.stopped == {}
        await assert_all_is_sealed_once(bed, partition, old)


async def test_a_log_that_is_not_the_published_one_is_sealed_no_more(bed):
    partition = await bed.write(30)
    await bed.publish(partition, 20, root_of([b"another history"] * 20))
    async with bed.sealing() as sealer:
        await bed.stopped(sealer, partition)
        other = await bed.write(1, "consensus/another")
        await bed.sealed_up_to(1, other)  # other logs are sealed on
    assert (
        "the first 20 records are not those of the published checkpoint"
        in sealer.stopped[bed.origin(partition)]
    )
    async with bed.connection() as connection:
        newest = await checkpoints.newest(connection, "decisions", partition)
    assert newest.size == 20, "nothing of ours was signed"
    async with bed.sealing() as again:
        await bed.stopped(again, partition)


async def test_a_published_checkpoint_that_contradicts_the_sealed_tiles_stops_the_sealing(bed):
    partition = await bed.write(30)
    async with bed.sealing():
        await bed.sealed_up_to(30, partition)
    await bed.publish(partition, 20, root_of([b"another history"] * 20), version=9)
    for _ in range(2):  # it is not forgotten by being read once
        async with bed.sealing() as sealer:
            await bed.stopped(sealer, partition)
        assert "are not those of the published checkpoint of 20" in sealer.stopped[bed.origin(partition)]


async def test_a_log_shorter_than_what_was_published_is_sealed_no_more(bed):
    partition = await bed.write(30)
    await bed.publish(partition, 31, merkle.EMPTY_ROOT)
    async with bed.sealing() as sealer:
        await bed.stopped(sealer, partition)
    assert "the log ends at offset 30, but was sealed up to 31" in sealer.stopped[bed.origin(partition)]


async def test_a_log_that_was_set_back_under_its_database_is_sealed_no_more(bed):
    partition = await bed.write(30)
    async with bed.sealing():
        await bed.sealed_up_to(30, partition)
    async with bed.connection() as connection:  # what the database remembers of the log that is gone
        await connection.execute(
            "UPDATE projection_offset SET next_offset = 40 WHERE projection = 'sealer' AND partition = $1"
            " AND topic = 'decisions'",
            partition,
        )
    async with bed.sealing() as sealer:
        await bed.stopped(sealer, partition)
    assert "the log ends at offset 30, but was sealed up to 40" in sealer.stopped[bed.origin(partition)]


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE projection_offset SET next_offset = 2 WHERE next_offset = 3 AND topic = 'decisions'",
        "DELETE FROM merkle_tile",
    ],
)
async def test_a_database_whose_tiles_do_not_end_where_the_sealer_stands_seals_no_more(bed, change):
    partition = await bed.write(3)
    async with bed.sealing():
        await bed.sealed_up_to(3, partition)
    async with bed.connection() as connection:
        await connection.execute(change)
    await bed.write(1)
    async with bed.sealing() as sealer:
        await bed.stopped(sealer, partition)
    assert "but the sealer stands at" in sealer.stopped[bed.origin(partition)]


async def test_a_log_whose_last_sealed_record_is_another_is_sealed_no_more(bed):
    partition = await bed.write(30)
    async with bed.sealing():
        await bed.sealed_up_to(30, partition)
    async with bed.connection() as connection:
        await connection.execute(
            "UPDATE merkle_tile SET hashes = substr(hashes, 1, 29 * 32) || $1 WHERE topic = 'decisions'"
            " AND partition = $2",
            merkle.leaf_hash(b"the record of another log"),
            partition,
        )
        await connection.execute("DELETE FROM checkpoint")  # else the root tells first
        await bed.taken_in(connection, 2)  # the key's beginning, and a checkpoint
    async with bed.sealing() as sealer:
        await bed.stopped(sealer, partition)
    assert "the record at offset 29 is not the one that was sealed" in sealer.stopped[bed.origin(partition)]


async def test_a_log_that_is_put_right_is_sealed_again_by_the_next_start(bed):
    partition = await bed.write(3)
    async with bed.connection() as connection:
        await sealing.stop(connection, sealing.Stopped("decisions", partition, "what was wrong then"))
        async with bed.sealing():
            await bed.sealed_up_to(3, partition)
        assert await sealing.stopped(connection) == []


async def test_what_a_stranger_writes_to_the_topic_of_checkpoints_moves_nothing(bed):
    partition = await bed.write(30)
    await bed.publish(partition, 20, merkle.EMPTY_ROOT, key=SigningKey.generate("example"))
    async with LogWriter(bed.kafka, bed.prefix) as writer:
        await writer.append("decisions", [bed.event("consensus/one")])
    async with bed.sealing() as sealer:
        await bed.sealed_up_to(31, partition)
        assert sealer.stopped == {}


@contextlib.asynccontextmanager
async def fresh(server, database, *, copied=False):
    """Another database: an empty one, or a copy as a restored backup is."""
    name = f"{database.rpartition('/')[2]}_{os.urandom(3).hex()}"
    template = f" TEMPLATE {database.rpartition('/')[2]}" if copied else ""
    connection = await asyncpg.connect(server.url())
    try:
        await connection.execute(f"CREATE DATABASE {name}{template}")
        yield server.url(name)
        await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        await connection.close()
