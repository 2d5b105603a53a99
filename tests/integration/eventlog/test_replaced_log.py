"""A log that another one took the place of: noticed before any record of it is given away."""

import asyncio
from contextlib import aclosing, asynccontextmanager

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import TopicAlreadyExistsError

from audit.merkle import leaf_hash
from domain.refusal import Refusal
from eventlog import reader as reading
from eventlog.partitioning import partition_of
from eventlog.record import LogReplaced, RetentionLost
from eventlog.topic_setup import ensure_topics
from eventlog.writer import LogWriter
from tests.unit.eventlog.examples import ballots

PLACE = ("decisions", partition_of(b"consensus/0", 4))
WITHIN = 20.0


@asynccontextmanager
async def following(reader, start, after=None):
    """The next batch, as often as it is asked for."""
    async with aclosing(reader.batches(*PLACE, start, after=after)) as batches:
        yield lambda: asyncio.wait_for(anext(batches), WITHIN)


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    """A tenth of a second without a record is a silence."""
    monkeypatch.setattr(reading, "_WAIT_MS", 100)


@pytest.fixture
async def ten(writer):
    """Twenty events, of which ten are on the log."""
    events = ballots(20)
    await writer.append("decisions", events[:10])
    return events


async def everything(reader):
    return [record async for batch in reader.batches(*PLACE, 0, 10) for record in batch]


async def test_a_leaf_is_the_one_of_the_audits_tree(reader, ten):
    assert [record.leaf for record in await everything(reader)] == [
        leaf_hash(record.value) for record in await everything(reader)
    ]


async def test_reading_goes_on_after_a_record_that_is_known(reader, ten):
    records = await everything(reader)
    async with following(reader, 5, records[4].leaf) as batch:
        assert await batch() == records[5:]
    async with following(reader, 5, records[3].leaf) as batch:
        with pytest.raises(LogReplaced, match=f"decisions/{PLACE[1]}: the record at offset 4 is not the one"):
            await batch()


async def test_what_comes_after_a_silence_is_given_once_and_whole(reader, writer, ten):
    async with following(reader, 0) as batch:
        found = [record.offset for record in await batch()]
        for number in (10, 11):
            coming = asyncio.ensure_future(batch())
            done, _ = await asyncio.wait([coming], timeout=0.5)  # some silences
            assert not done
            await writer.append("decisions", ten[number : number + 1])
            found += [record.offset for record in await coming]
    assert found == [*range(12)]


@pytest.fixture
def replace_topic(kafka, prefix):
    """Delete the topic, make it again, and write other events into it."""

    async def replace_topic(events):
        name = prefix + "decisions"
        admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
        await admin.start()
        await admin.delete_topics([name])
        async with asyncio.timeout(WITHIN):
            while name in await admin.list_topics():  # noqa: ASYNC110 # Kafka gives no signal
                await asyncio.sleep(0.01)
            while not await made(kafka, prefix):  # noqa: ASYNC110 # nor of when a name is free again
                await asyncio.sleep(0.01)
        await admin.close()
        async with LogWriter(kafka, prefix) as writer:
            await writer.append("decisions", events)

    return replace_topic


async def made(kafka, prefix):
    try:
        return (await ensure_topics(kafka, prefix)).created
    except (TopicAlreadyExistsError, Refusal):
        return False


@pytest.fixture
def held(reader, monkeypatch):
    """Sets the first event when the follower met a silence, and keeps it there until the second is set."""
    met, on, check = asyncio.Event(), asyncio.Event(), reader._check

    async def wait_and_check(*where):
        met.set()
        await on.wait()
        await check(*where)

    def hold():
        monkeypatch.setattr(reader, "_check", wait_and_check)
        return met, on

    return hold


@pytest.mark.parametrize("by", [(20, LogReplaced), (5, RetentionLost)])
async def test_a_topic_that_is_replaced_while_it_is_followed_is_noticed(replace_topic, reader, held, ten, by):
    events, error = by
    async with following(reader, 0) as batch:
        assert len(await batch()) == 10
        met, on = held()
        coming = asyncio.ensure_future(batch())
        await asyncio.wait_for(met.wait(), WITHIN)
        await replace_topic(ten[::-1][:events])
        on.set()
        with pytest.raises(error):
            await coming
