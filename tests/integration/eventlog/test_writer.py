"""The real writer against a real broker: it passes the port's suite, and answers before its deadline."""

import asyncio
import logging
import time

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import OutOfOrderSequenceNumber, RecordListTooLargeError

from eventlog.codec import decode, encode
from eventlog.partitioning import partition_of
from eventlog.producing import BULK, Producing
from eventlog.record import Position
from eventlog.writer import LogWriter, TopicNotThere, WriteFailed
from tests.fakes.event_log_conformance import EventLogConformance
from tests.unit.eventlog.examples import AT, ballot, ballots


class TestLogWriter(EventLogConformance):
    @pytest.fixture
    def log(self, writer):
        return writer

    @pytest.fixture
    async def silent_log(self, kafka, monkeypatch):
        monkeypatch.setattr(LogWriter, "_partitions", lambda *_: asyncio.Event().wait())
        async with LogWriter(kafka, deadline=0.3) as writer:
            yield writer

    @pytest.fixture
    def read(self, reader):
        async def read(stream):
            return [decode(record.value) for record in await reader.stream(stream)]

        return read


@pytest.mark.parametrize("count", [3, BULK * 3])
async def test_a_position_is_where_the_event_lies(writer, whole, count):
    events = ballots(count, streams=5)
    positions = await writer.append("decisions", events)
    placed = {Position(r.topic, r.partition, r.offset): decode(r.value) for r in await whole()}
    assert [placed[position] for position in positions] == events


@pytest.mark.parametrize("count", [1, 5, BULK])
async def test_who_appends_alone_is_told_where_each_event_lies(kafka, prefix, writer, whole, count):
    events = ballots(count, streams=5)
    async with LogWriter(kafka, prefix, alone=True) as log:
        positions = await log.append("decisions", events)
    placed = {Position(r.topic, r.partition, r.offset): decode(r.value) for r in await whole()}
    assert [placed[position] for position in positions] == events


@pytest.mark.parametrize("count", [1, BULK])
async def test_a_record_is_a_structured_cloudevent_under_its_streams_key(kafka, prefix, writer, count):
    events = ballots(count)
    await writer.append("decisions", events)
    partition = partition_of(b"consensus/0", 4)
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka, auto_offset_reset="earliest")
    await consumer.start()
    try:
        consumer.assign([TopicPartition(prefix + "decisions", partition)])
        record = await asyncio.wait_for(consumer.getone(), 10)
    finally:
        await consumer.stop()
    assert record.key == b"consensus/0"
    assert record.value == encode(events[0])
    assert record.headers == (("content-type", b"application/cloudevents+json"),)
    assert record.timestamp == int(AT.timestamp()) * 1000 + 123


async def test_a_missing_topic_is_told_from_a_cluster_that_is_away_with_the_way_out(kafka, monkeypatch):
    async with LogWriter(kafka, "nowhere.", deadline=4) as writer:
        with pytest.raises(TopicNotThere, match=r"topic nowhere\.decisions is not there; `moot migrate`"):
            await writer.append("decisions", [ballot()])
        producer = await writer._producing.producer()  # whose cluster falls silent now
        monkeypatch.setattr(producer.client, "fetch_all_metadata", lambda: asyncio.Event().wait())
        with pytest.raises(TimeoutError, match=r"nowhere\.decisions.*within 4 s: Kafka does not answer"):
            await writer.append("decisions", [ballot()])


async def test_a_cluster_that_is_not_there_is_named_with_the_deadline():
    started = time.monotonic()
    with pytest.raises(TimeoutError, match=r"127\.0\.0\.1:1 did not answer within 0\.3 s"):
        async with LogWriter("127.0.0.1:1", deadline=0.3):
            pass
    assert time.monotonic() - started < 5


class Faulty:
    """A producer whose deliveries fail; everything else is the real one's."""

    def __init__(self, producer, error):
        self._producer, self._error = producer, error

    def __getattr__(self, name):
        return getattr(self._producer, name)

    async def send(self, *_, **__):
        raise self._error

    async def send_batch(self, *_, **__):
        raise self._error


def breaks(monkeypatch, error, times):
    """Make the first `times` producers fail with `error`."""
    real, made = Producing._build, []

    def build(self):
        made.append(real(self))
        return Faulty(made[-1], error) if len(made) <= times else made[-1]

    monkeypatch.setattr(Producing, "_build", build)
    return made


@pytest.mark.parametrize("count", [2, BULK])
async def test_a_producer_that_lost_its_sequence_is_replaced_once_and_the_append_goes_on(
    kafka, prefix, whole, monkeypatch, count
):
    made = breaks(monkeypatch, OutOfOrderSequenceNumber(), times=1)
    async with LogWriter(kafka, prefix) as writer:
        await writer.append("decisions", ballots(count))
    assert len(made) == 2
    assert [decode(r.value).version for r in await whole()] == list(range(1, count + 1))


async def test_a_fault_that_stays_is_told_with_topic_and_reason(kafka, prefix, whole, monkeypatch):
    made = breaks(monkeypatch, RecordListTooLargeError(), times=9)
    async with LogWriter(kafka, prefix) as writer:
        with pytest.raises(WriteFailed, match=r"decisions could not be written: .*RecordListTooLarge"):
            await writer.append("decisions", ballots(2))
    assert len(made) == 2
    assert await whole() == []


async def test_writers_at_the_same_time_replace_a_broken_producer_together(kafka, prefix, whole, monkeypatch):
    made = breaks(monkeypatch, OutOfOrderSequenceNumber(), times=1)
    async with LogWriter(kafka, prefix) as writer:
        await asyncio.gather(*(writer.append("decisions", [ballot(f"consensus/{n}")]) for n in range(20)))
    assert len(made) == 2
    assert sorted(decode(r.value).stream for r in await whole()) == sorted(
        f"consensus/{n}" for n in range(20)
    )


async def test_a_cancelled_append_leaves_a_writer_that_works(kafka, prefix, whole):
    async with LogWriter(kafka, prefix) as writer:
        task = asyncio.create_task(writer.append("decisions", ballots(500)))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await writer.append("decisions", [ballot("consensus/after")])
    assert "consensus/after" in {decode(record.value).stream for record in await whole()}


async def test_a_closed_writer_says_so(kafka, prefix):
    async with LogWriter(kafka, prefix) as writer:
        pass
    with pytest.raises(RuntimeError, match="the writer is closed"):
        await writer.append("decisions", [ballot()])


async def test_an_event_of_just_256_kib_is_taken(writer, reader):
    room = 256 * 1024 - len(encode(ballot(reason="")))
    await writer.append("decisions", [ballot(reason="x" * room)])
    (record,) = await reader.stream("consensus/42")
    assert len(record.value) == 256 * 1024


async def test_many_events_of_256_kib_fit_into_one_append(writer, whole):
    room = 256 * 1024 - len(encode(ballot(reason="")))
    events = [
        ballot(f"consensus/{10 + n % 4}", version=1 + n // 4 % 9, reason="x" * (room - 1))
        for n in range(BULK)
    ]
    await writer.append("decisions", events)
    assert len(await whole()) == BULK


async def test_a_lingering_writer_gathers_appends_of_the_same_time_into_few_requests(kafka, prefix, caplog):
    with caplog.at_level(logging.DEBUG, "aiokafka.producer"):
        async with LogWriter(kafka, prefix, linger_ms=50) as writer:
            positions = await asyncio.gather(
                *(writer.append("decisions", [ballot(version=version)]) for version in range(1, 31))
            )
    assert sorted(offset for ((_, _, offset),) in positions) == list(range(30))
