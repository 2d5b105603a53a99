"""The real reader against a real broker: all that is committed, in order, never past a hole in silence."""

import asyncio
import gc
import re
from contextlib import aclosing

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from domain.event import event_id
from domain.refusal import Refusal
from eventlog.codec import decode, encode
from eventlog.partitioning import partition_of
from eventlog.reader import LogReader
from eventlog.record import RawRecord, RetentionLost
from tests.unit.eventlog.examples import AT, ballot, ballots

PLACE = ("decisions", partition_of(b"consensus/0", 4))


async def collected(batches):
    async with aclosing(batches):
        return [record async for batch in batches for record in batch]


async def first_batch(batches, within=10):
    async with aclosing(batches):
        return await asyncio.wait_for(anext(batches), within)


@pytest.fixture
async def ten(writer):
    events = ballots(10)
    await writer.append("decisions", events)
    return events


@pytest.fixture
async def raw(kafka, prefix):
    """A producer that obeys none of our rules."""
    producer = AIOKafkaProducer(bootstrap_servers=kafka, transactional_id=prefix + "raw")
    await producer.start()
    yield producer
    await producer.stop()


@pytest.fixture
def drop(kafka, prefix):
    """Delete a partition's records before an offset, as a retention would."""

    async def drop(topic, partition, before):
        admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
        await admin.start()
        try:
            place = TopicPartition(prefix + topic, partition)
            await admin.delete_records({place: RecordsToDelete(before)})
        finally:
            await admin.close()

    return drop


async def test_a_record_is_raw_and_logical(reader, ten):
    (record, *_) = await collected(reader.batches(*PLACE, 0, 1))
    value = encode(ten[0])
    assert record == RawRecord(*PLACE, 0, int(AT.timestamp()) * 1000 + 123, b"consensus/0", value)


async def test_a_partition_is_read_from_start_to_before_end(reader, ten):
    assert await reader.beginning_and_end(*PLACE) == (0, 10)
    read = await collected(reader.batches(*PLACE, 3, 7))
    assert [decode(record.value) for record in read] == ten[3:7]


async def test_nothing_is_read_of_nothing(reader, prefix):
    assert prefix
    assert await collected(reader.batches(*PLACE, 0, 0)) == []


@pytest.mark.parametrize("size", [1, 3, 10, 11])
async def test_batches_are_never_empty_nor_larger_than_asked(reader, ten, size):
    batches = [batch async for batch in reader.batches(*PLACE, 0, 10, max_records=size)]
    assert all(0 < len(batch) <= size for batch in batches)
    assert [record.offset for batch in batches for record in batch] == list(range(len(ten)))


async def test_without_an_end_it_waits_for_what_comes(reader, writer, ten):
    async with aclosing(reader.batches(*PLACE, len(ten))) as following:
        waiting = asyncio.ensure_future(anext(following))
        await writer.append("decisions", [ballot("consensus/0", 11)])
        (record,) = await asyncio.wait_for(waiting, 10)
    assert (record.offset, decode(record.value).version) == (10, 11)


async def test_several_partitions_are_followed_at_the_same_time(reader, writer, prefix):
    assert prefix
    following = [asyncio.ensure_future(first_batch(reader.batches("decisions", n, 0))) for n in range(4)]
    await writer.append("decisions", ballots(40, streams=40))
    for number, batch in enumerate(await asyncio.gather(*following)):
        assert {record.partition for record in batch} == {number}


async def test_only_committed_records_are_read_and_gaps_are_passed(reader, raw, prefix):
    name, partition = prefix + PLACE[0], PLACE[1]

    async def send(text):
        await raw.send_and_wait(name, text, key=b"consensus/0", partition=partition)

    async with raw.transaction():
        await send(b"kept")
    await raw.begin_transaction()
    await send(b"aborted")
    await raw.abort_transaction()
    async with raw.transaction():
        await send(b"kept too")
    _, end = await reader.beginning_and_end(*PLACE)
    read = await collected(reader.batches(*PLACE, 0, end))
    assert [(record.offset, record.value) for record in read] == [(0, b"kept"), (4, b"kept too")]
    assert end == 6  # three records and three markers
    assert await collected(reader.batches(*PLACE, 5, end)) == []


async def test_a_tombstone_has_an_empty_value(reader, raw, prefix):
    async with raw.transaction():
        await raw.send_and_wait(prefix + "decisions", None, key=b"consensus/0", partition=PLACE[1])
    (record,) = await collected(reader.batches(*PLACE, 0, 1))
    assert (record.key, record.value) == (b"consensus/0", b"")


async def test_a_start_that_retention_took_is_named(reader, ten, drop):
    assert ten
    await drop(*PLACE, 4)
    with pytest.raises(RetentionLost) as lost:
        await first_batch(reader.batches(*PLACE, 2))
    assert (lost.value.topic, lost.value.partition) == PLACE
    assert (lost.value.wanted, lost.value.beginning, lost.value.end) == (2, 4, 10)
    assert re.search(r"decisions/\d: offset 2 is wanted, the log holds 4 up to 10", str(lost.value))
    assert [r.offset for r in await collected(reader.batches(*PLACE, 4, 10))] == list(range(4, 10))


async def test_a_start_beyond_the_logs_end_is_an_error_not_a_wait(reader, ten):
    assert ten
    with pytest.raises(RetentionLost, match="offset 11 is wanted, the log holds 0 up to 10"):
        await first_batch(reader.batches(*PLACE, 11))


async def test_a_follower_whose_next_records_are_deleted_is_told(kafka, prefix, writer, drop):
    for event in ballots(10):
        await writer.append("decisions", [event])  # one batch each, and a reader that fetches one at a time
    async with (
        LogReader(kafka, prefix, fetch_bytes=700) as reader,
        aclosing(reader.batches(*PLACE, 0)) as following,
    ):
        (record,) = await anext(following)
        assert record.offset == 0
        await drop(*PLACE, 10)
        with pytest.raises(RetentionLost, match="the log holds 10 up to 10"):
            await asyncio.wait_for(_exhausted(following), 10)


async def test_a_stop_that_aiokafka_cancels_itself_is_no_cancellation_and_leaves_nothing_open(
    reader, ten, monkeypatch
):
    async def stop(self):  # as it is while Kafka is away: a fetch that it cancelled ends it before its client
        self._closed = True
        await self._coordinator.close()
        await self._fetcher.close()
        raise asyncio.CancelledError

    monkeypatch.setattr(AIOKafkaConsumer, "stop", stop)
    read = await collected(reader.batches(*PLACE, 0, 10))
    assert [record.value for record in read] == [encode(event) for event in ten]
    gc.collect()  # a connection that was left open would warn, which fails the test


async def _exhausted(batches):
    async for batch in batches:
        assert batch[-1].offset < 9


async def test_a_missing_topic_is_refused_by_name_with_the_way_out(kafka):
    async with LogReader(kafka, "nowhere.") as reader:
        with pytest.raises(Refusal, match=r"topic nowhere\.decisions: is not on the cluster: `moot migrate`"):
            await reader.partitions("decisions")


async def test_a_cluster_that_is_not_there_is_named():
    with pytest.raises(ConnectionError, match=r"Kafka at 127\.0\.0\.1:1 does not answer"):
        async with LogReader("127.0.0.1:1"):
            pass


async def test_a_reader_left_in_the_middle_of_a_batch_closes_what_it_opened(kafka, prefix, ten):
    assert ten
    async with LogReader(kafka, prefix) as reader:
        batches = reader.batches(*PLACE, 0, max_records=1)
        await anext(batches)
    assert not reader._open


async def test_an_event_is_found_by_its_id_alone(reader, writer):
    events = ballots(300, streams=20)
    positions = await writer.append("decisions", events)
    for place in (0, 150, 299):
        record = await reader.find(events[place].id)
        assert (record.topic, record.partition, record.offset) == positions[place]
        assert decode(record.value) == events[place]


async def test_an_event_of_a_quiet_topic_is_found_too(reader, writer):
    from tests.integration.eventlog.examples import DISCARD

    await writer.append("decisions", ballots(5))
    (position,) = await writer.append("deadletters", [DISCARD])
    record = await reader.find(DISCARD.id)
    assert (record.topic, record.partition, record.offset) == position


async def test_an_event_that_is_named_by_another_is_not_mistaken_for_it(reader, writer):
    from dataclasses import replace

    named = event_id(AT, "never written")
    await writer.append("decisions", [replace(ballot(), causation_id=named)])
    assert await reader.find(named) is None


async def test_a_repeated_event_is_found_where_it_lay_first(reader, writer, ten):
    await writer.append("decisions", ten)
    assert (await reader.find(ten[4].id)).offset == 4


async def test_an_id_that_cannot_be_looked_for_is_refused(reader):
    with pytest.raises(Refusal, match="is not a UUIDv7"):
        await reader.find("42")
    with pytest.raises(Refusal, match="is not a UUIDv7"):
        await reader.find("9a1ab3c4-0000-4000-8000-000000000000")


async def test_a_stream_is_read_by_its_name_between_offsets(reader, writer):
    events = ballots(60, streams=6)
    await writer.append("decisions", events)
    mine = [event for event in events if event.stream == "consensus/3"]
    records = await reader.stream("consensus/3")
    assert [decode(record.value) for record in records] == mine
    part = await reader.stream("consensus/3", records[2].offset, records[5].offset)
    assert [decode(record.value) for record in part] == mine[2:5]
    assert await reader.stream("consensus/unknown") == []


@pytest.mark.parametrize("stream", ["consensus", "nothing/1", "consensus/../1", "consensus/\n"])
async def test_a_name_that_is_no_stream_is_refused(reader, stream):
    with pytest.raises(Refusal):
        await reader.stream(stream)
