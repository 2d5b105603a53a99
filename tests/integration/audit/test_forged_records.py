"""What somebody wrote into Kafka by hand is named by its place, and nothing real beside it."""

from aiokafka import AIOKafkaProducer

from audit.live import Live
from audit.verify import verify
from eventlog.codec import encode
from eventlog.partitioning import partition_of
from eventlog.reader import LogReader
from eventlog.writer import milliseconds
from projections.connection import pool
from tests.integration.audit.conftest import CLUSTER


async def forge(bed, topic, partition, event):
    """Write an event as any client may; its offset."""
    producer = AIOKafkaProducer(bootstrap_servers=bed.kafka)
    await producer.start()
    try:
        sent = await producer.send_and_wait(
            bed.prefix + topic,
            encode(event),
            key=event.stream.encode(),
            partition=partition,
            timestamp_ms=milliseconds(event.time),
        )
        return sent.offset
    finally:
        await producer.stop()


async def findings(bed):
    async with LogReader(bed.kafka, bed.prefix) as reader, pool(bed.database, most=2) as connections:
        live = Live(reader, connections, CLUSTER, bed.prefix)
        report = await verify(live, [bed.key.verifier], lambda *_: None)
    return [str(finding) for finding in report.findings]


async def test_a_record_in_a_wrong_partition_is_named_by_topic_partition_and_offset(bed):
    right = await bed.write(2)
    assert right == partition_of(b"consensus/one", 4)
    wrong = (right + 1) % 4
    offsets = [await forge(bed, "decisions", wrong, bed.event("consensus/one")) for _ in range(2)]
    lies = f"lies in partition {wrong}, but its key belongs to partition {right} of 4"
    assert await findings(bed) == [f"decisions/{wrong} offset {offset}: {lies}" for offset in offsets]
