"""What the tests of this folder do again and again: project, look, compare with the log."""

import asyncio
import contextlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import asyncpg

from domain.consensus.events import (
    BallotCast,
    Decided,
    Opened,
    Proposal,
    RoundClosed,
    Score,
    Seat,
    Support,
)
from domain.consensus.policy import Policy
from domain.deadletters import Discarded
from domain.event import Event, event_id
from eventlog.writer import LogWriter
from projections.engine import PartitionProjector
from projections.in_memory import fold_log
from projections.rebuild import Rebuild
from projections.registry import PROJECTIONS
from projections.state_hash import StoredRows, first_difference, state_hash
from tests.fakes.log_reader import MemoryReader

START = datetime(2026, 11, 21, 12, tzinfo=UTC)
TABLES = (
    "deliberation, reputation, docket, fleet_host, context_entry, discard, dead_letter, projection_offset"
)
DEADLINE = 20.0


def event(stream, version, data, writer="test"):
    at = START + timedelta(milliseconds=version)
    return Event(event_id(at, stream, version, writer), stream, version, at, data, writer)


async def write(settings, events):
    async with LogWriter(settings.kafka, settings.topic_prefix) as writer:
        await writer.append("decisions", events)


def history(name, choices=("yes", "yes", "no"), topic="weather", writer="test"):
    """A whole deliberation: opened, a ballot of each voter, closed, decided for the first choice."""
    stream = f"consensus/{name}"
    voters = [f"v{number}" for number in range(len(choices))]
    proposal = Proposal(name, "Will it rain?", ("yes", "no"), topic=topic)
    ballots = [BallotCast(v, 1, choice, 0.75) for v, choice in zip(voters, choices, strict=True)]
    ruling = choices[0]
    tally = (Support(ruling, float(choices.count(ruling)), choices.count(ruling)),)
    closed = RoundClosed(1, tally, (ruling,), 0.75, len(choices), 0, "threshold", "agreed")
    decided = Decided(
        consensus=ruling,
        status="consensus",
        authority="consensus",
        reason="agreed",
        leading=(ruling,),
        agreement=0.75,
        rounds_required=1,
        participating_nodes=tuple(voters),
        time_to_consensus=1.5,
        policy=Policy(),
        ballots=(),
        majority=(ruling,),
        scores=tuple(Score(b.voter, b.choice == ruling, b.confidence) for b in ballots),
    )
    opened = Opened(proposal, Policy(), tuple(Seat(v) for v in voters), len(voters))
    said = [opened, *ballots, closed, decided]
    return [event(stream, version, data, writer) for version, data in enumerate(said, 1)]


def discarded(letter, stream=None, topic="decisions", partition=0, who="Ada"):
    offset = int(letter.rpartition(".")[2])
    data = Discarded(letter, topic, partition, offset, stream, who, "written by hand")
    return event(f"deadletters/{letter}", 1, data, who)


class Seen:
    """An observer that counts."""

    def __init__(self):
        self.batches = []

    def standing(self, topic, partition, next_offset):
        pass

    def applied(self, topic, partition, folded, seconds):
        assert seconds >= 0
        self.batches.append((topic, partition, folded.events))


@dataclass
class Bed:
    database: str
    connection: asyncpg.Connection
    log: MemoryReader
    opened: list = field(default_factory=list)

    async def connect(self):
        connection = await asyncpg.connect(self.database)
        self.opened.append(connection)
        return connection

    async def close(self):
        for connection in (self.connection, *self.opened):
            connection.terminate()

    async def empty(self):
        """As if nothing was ever read, and no log was there."""
        await self.connection.execute(f"TRUNCATE {TABLES}")
        self.log = MemoryReader()

    async def projector(self, topic="decisions", partition=0):
        return PartitionProjector(self.log, await self.connect(), topic, partition, Seen())

    async def project(self, topic="decisions", partition=0, end=None):
        """Apply the log up to `end`, by default all of it."""
        projector = PartitionProjector(self.log, self.connection, topic, partition, Seen())
        await projector.follow(self.log.end(topic, partition) if end is None else end)

    async def rows(self, table, columns="*", order=1):
        return [
            tuple(row)
            for row in await self.connection.fetch(f"SELECT {columns} FROM {table} ORDER BY {order}")
        ]

    async def parked(self):
        """(offset, kind) of each parked record."""
        return await self.rows("dead_letter", "log_offset, kind")

    async def versions(self):
        return dict(await self.rows("deliberation", "stream, version"))

    async def rebuilding(self, projections=PROJECTIONS, **fields):
        return Rebuild(self.log, await self.connect(), await self.connect(), projections, **fields)

    async def hashes(self):
        async with self.connection.transaction(isolation="repeatable_read"):
            return {p.name: (await state_hash(StoredRows(self.connection), p)).digest for p in PROJECTIONS}

    async def differences(self):
        """Where the tables differ from the log folded in memory, up to where they stand."""
        query = "SELECT topic, partition, next_offset FROM projection_offset WHERE projection <> 'sealer'"
        async with self.connection.transaction(isolation="repeatable_read"):
            ends = {(row[0], row[1]): row[2] for row in await self.connection.fetch(query)}
            memory = await fold_log(self.log, ends)
            stored = StoredRows(self.connection)
            found = [await first_difference(stored, memory, p) for p in PROJECTIONS]
            same = [(await state_hash(stored, p)) == (await state_hash(memory, p)) for p in PROJECTIONS]
        assert same == [difference is None for difference in found]
        return [difference for difference in found if difference]


async def until(condition, what):
    """Wait for an awaitable condition, within a deadline."""
    async with asyncio.timeout(DEADLINE):
        while not await condition():  # noqa: ASYNC110 # a database gives no signal to wait for
            await asyncio.sleep(0.01)
    assert what


@contextlib.asynccontextmanager
async def running(coroutine):
    """A task for the length of a block."""
    task = asyncio.create_task(coroutine)
    try:
        yield task
    finally:
        if not task.done():
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
