"""The least that any projector in Python must do: read, decode, stage, upsert, move the offset, commit.

One table, no checks, no parking, no sums: what ours costs above this is what its promises cost. The same
durability (fsync on, one transaction a batch), the same log, the same server, the same kind of staging
table, the same quiet collector.
"""

import asyncpg
import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition

BATCH = 5_000
TABLES = """
CREATE TABLE floor (
    stream text COLLATE "C" PRIMARY KEY, version int NOT NULL, last_id text NOT NULL, state json NOT NULL
);
CREATE TEMPORARY TABLE floor_staging (stream text COLLATE "C", version int, last_id text, state json)
ON COMMIT DELETE ROWS;
CREATE TABLE floor_offset (topic text PRIMARY KEY, next_offset bigint NOT NULL);
"""
UPSERT = """
INSERT INTO floor SELECT stream, version, last_id, state FROM floor_staging
ON CONFLICT (stream) DO UPDATE
SET version = excluded.version, last_id = excluded.last_id, state = excluded.state
WHERE excluded.version > floor.version
"""
MOVE = "UPDATE floor_offset SET next_offset = $1 WHERE topic = $2 AND next_offset = $3"
COLUMNS = ["stream", "version", "last_id", "state"]


async def project(bootstrap: str, topic: str, database_url: str, end: int) -> int:
    """Bring the table up to `end`; how many records were read."""
    connection = await asyncpg.connect(database_url)
    await connection.execute(TABLES)
    await connection.execute("INSERT INTO floor_offset VALUES ($1, 0)", topic)
    place = TopicPartition(topic, 0)
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="none",
        isolation_level="read_committed",
        max_partition_fetch_bytes=4 * 1024 * 1024,
    )
    await consumer.start()
    consumer.assign([place])
    consumer.seek(place, 0)
    at = read = 0
    while at < end:
        found = await consumer.getmany(place, timeout_ms=1000, max_records=BATCH)
        for records in found.values():
            await _apply(connection, topic, at, records)
            at, read = records[-1].offset + 1, read + len(records)
    await consumer.stop()
    await connection.close()
    return read


async def _apply(connection: asyncpg.Connection, topic: str, at: int, records: list) -> None:
    rows = {}
    for record in records:
        event = msgspec.json.decode(record.value)
        stream = event["subject"]
        rows[stream] = (stream, event["streamversion"], event["id"], record.value.decode())
    async with connection.transaction():
        await connection.execute(MOVE, records[-1].offset + 1, topic, at)
        await connection.copy_records_to_table("floor_staging", records=[*rows.values()], columns=COLUMNS)
        await connection.execute(UPSERT)
