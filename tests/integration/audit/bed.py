"""A log and its database, and a sealer that can be started and stopped on them."""

import asyncio
import contextlib
import itertools
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import asyncpg

from audit import announced, published
from audit.checkpoint import Checkpoint
from audit.key_statement import KeyStatement
from audit.note import SigningKey
from audit.sealer import Sealer
from domain.consensus.events import BallotSealed
from domain.event import Event, event_id
from eventlog.partitioning import partition_of
from eventlog.reader import LogReader
from eventlog.topic_setup import ensure_topics
from eventlog.topics import TOPICS
from eventlog.writer import LogWriter
from projections import sealing
from projections.checkpoints import CheckpointRow
from projections.sealing import Stopped
from projections.signing_keys import KeyRow

CLUSTER = "example"
START = datetime(2026, 11, 21, 12, tzinfo=UTC)
DEADLINE = 20.0


async def until(condition, what, deadline=DEADLINE):
    """What `condition` answers once it is true; it is asked until then."""
    async with asyncio.timeout(deadline):
        while not (found := await condition()):  # noqa: ASYNC110 # a database gives no signal to wait for
            await asyncio.sleep(0.02)
    assert found, what
    return found


@dataclass
class Bed:
    kafka: str
    prefix: str
    database: str
    key: SigningKey
    place: str
    numbers: itertools.count = field(default_factory=itertools.count)

    @classmethod
    async def made(cls, kafka, prefix, database, folder):
        """One with topics and a key of its own; `database` has our tables."""
        await ensure_topics(kafka, prefix)
        key, place = SigningKey.generate("example"), folder / "signing.key"
        place.touch(0o600)
        place.write_text(key.secret())
        return cls(kafka, prefix, database, key, str(place))

    until = staticmethod(until)

    def event(self, stream):
        n = next(self.numbers)
        at = START + timedelta(milliseconds=n)
        data = BallotSealed(voter=f"voter-{n}", round=1, commitment=f"{n:064x}")
        return Event(event_id(at, stream, n), stream, n + 1, at, data, "test")

    async def write(self, count, stream="consensus/one"):
        """Append to one stream; the partition it lies in."""
        events = [self.event(stream) for _ in range(count)]
        async with LogWriter(self.kafka, self.prefix, linger_ms=5) as writer:
            await writer.append("decisions", events)
        return partition_of(stream.encode(), TOPICS["decisions"].partitions)

    async def length(self, partition):
        async with LogReader(self.kafka, self.prefix) as reader:
            return (await reader.beginning_and_end("decisions", partition))[1]

    def origin(self, partition, topic="decisions"):
        return f"{CLUSTER}/{self.prefix}{topic}/{partition}"

    async def publish(self, partition, size, root, *, version=1, key=None):
        """Put a signed checkpoint on the topic, as an earlier life of the system would have.

        The bed's own key is announced first, if need be once more.
        """
        note = (key or self.key).sign(Checkpoint(self.origin(partition), size, root).text())
        row = CheckpointRow("decisions", partition, size, root, note, START, version, published=True)
        first = KeyStatement(self.chain().origin, 1, self.key.verifier).text()
        began = announced.to_event(KeyRow(1, self.key.sign(first), START, published=True))
        async with LogWriter(self.kafka, self.prefix) as writer:
            await writer.append("checkpoints", [began, published.to_event(row, self.origin(partition))])

    def chain(self):
        return announced.chain_of(CLUSTER, self.prefix)

    async def taken_in(self, connection, offset):
        """Pretend that the topic of checkpoints was read up to `offset`."""
        await connection.execute(
            "UPDATE projection_offset SET next_offset = $1"
            " WHERE projection = 'sealer' AND topic = 'checkpoints'",
            offset,
        )

    async def stopped(self, sealer, partition):
        async def has_stopped():
            return self.origin(partition) in sealer.stopped

        await until(has_stopped, "stopped")
        async with self.connection() as connection:
            assert (await sealing.stopped(connection))[0] == Stopped(
                "decisions", partition, sealer.stopped[self.origin(partition)]
            )

    def sealer(self, database=None, interval=0.05):
        return Sealer(
            kafka=self.kafka,
            prefix=self.prefix,
            database_url=database or self.database,
            cluster=CLUSTER,
            signing_key=self.place,
            interval=interval,
        )

    @contextlib.asynccontextmanager
    async def sealing(self, database=None, interval=0.05):
        sealer, stop = self.sealer(database, interval), asyncio.Event()
        running = asyncio.create_task(sealer.run(stop))
        try:
            yield sealer
        finally:
            stop.set()
            await running

    @contextlib.asynccontextmanager
    async def connection(self):
        connection = await asyncpg.connect(self.database)
        try:
            yield connection
        finally:
            await connection.close()

    async def sealed_up_to(self, size, partition, topic="decisions"):
        """Wait until a published checkpoint covers `size` records of one partition."""
        async with self.connection() as connection:

            async def covered():
                return await connection.fetchval(
                    "SELECT max(size) >= $3 FROM checkpoint"
                    " WHERE topic = $1 AND partition = $2 AND published",
                    topic,
                    partition,
                    size,
                )

            await until(covered, "covered")

    async def filled(self):
        """Seal 305 records of one stream; their partition and the first 300 events."""
        events = [self.event("consensus/one") for _ in range(300)]
        async with LogWriter(self.kafka, self.prefix, linger_ms=5) as writer:
            positions = await writer.append("decisions", events)
        partition = positions[0].partition
        async with self.sealing():
            await self.sealed_up_to(300, partition)
            await self.write(5)
            await self.sealed_up_to(305, partition)
        return partition, events
