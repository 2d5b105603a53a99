"""What somebody wrote into Kafka by hand is named by its place, and nothing real beside it."""

from aiokafka import AIOKafkaProducer

from audit import published
from audit.checkpoint import Checkpoint
from audit.live import Live
from audit.note import SigningKey
from audit.verify import verify
from eventlog.codec import encode
from eventlog.partitioning import partition_of
from eventlog.reader import LogReader
from eventlog.writer import milliseconds
from projections.checkpoints import CheckpointRow
from projections.connection import pool
from tests.integration.audit.bed import CLUSTER, START


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


async def test_a_forged_checkpoint_is_named_and_the_real_ones_after_it_stay_sound(bed):
    async with bed.sealing():
        partition = await bed.write(2)
        await bed.sealed_up_to(2, partition)
    origin, stranger = bed.origin(partition), SigningKey.generate("example")
    note = stranger.sign(Checkpoint(origin, 2**40, bytes(32)).text())
    row = CheckpointRow("decisions", partition, 2**40, bytes(32), note, START, 2**31 - 1, published=True)
    offset = await forge(bed, "checkpoints", 0, published.to_event(row, origin))
    async with bed.sealing():
        for size in (4, 6):
            await bed.write(2)
            await bed.sealed_up_to(size, partition)
    (found,) = await findings(bed)
    assert found.startswith(f"checkpoints/0 offset {offset}: checkpoint: is signed by example+")
