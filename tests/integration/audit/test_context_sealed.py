"""A region's topic in the audit: sealed, verified, copied and proved as decisions are."""

import pytest

from domain.context.recording import recorded
from domain.context.residency import Residency
from eventlog.partitioning import partition_of
from eventlog.topic_setup import ensure_topics
from eventlog.writer import LogWriter
from tests.unit.domain.context.given import wrote

TOPIC = "context.eu"


@pytest.fixture
async def event(bed):
    """The second of two writes to one key, both sealed."""
    await ensure_topics(bed.kafka, bed.prefix, regions=["eu", "us"])
    writes = wrote("eu-1:1", 1), wrote("eu-1:2", 2, seen="eu-1:1")
    events = [recorded(write, "eu", Residency()) for write in writes]
    async with LogWriter(bed.kafka, bed.prefix) as writer:
        await writer.append(TOPIC, events)
    async with bed.sealing():
        await bed.sealed_up_to(2, partition_of(events[0].stream.encode(), 4), TOPIC)
    return events[1]


async def test_a_write_of_context_is_proved_with_no_server(moot, bed, event, tmp_path):
    partition = partition_of(event.stream.encode(), 4)
    status, out, err = await moot("prove", event.id, "-o", tmp_path / "proof")
    assert (status, err) == (0, "")
    assert f"{TOPIC}/{partition} offset 1 is leaf 1 of 2" in out
    words = ("check", tmp_path / "proof.tlog-proof", "--key", str(bed.key.verifier))
    status, out, _ = await moot(*words, servers=False)
    assert status == 0
    assert f"is leaf 1 of 2 of {bed.origin(partition, TOPIC)}, signed by example" in out


async def test_a_regions_topic_is_verified_here_and_in_a_copy_until_a_byte_of_it_changes(
    moot, bed, event, tmp_path
):
    # Of the 10 logs that there always are, and the 8 of two regions; the tables are not projected here.
    copy, partition = tmp_path / "copy", partition_of(event.stream.encode(), 4)
    assert (await moot("export", copy))[0] == 0
    words = ("verify", "--from", copy, "--key", str(bed.key.verifier))
    status, out, _ = await moot(*words, servers=False)
    assert status == 0
    assert out.startswith("2 records in 18 logs, ")
    stored = copy / f"{TOPIC}-{partition}.records"
    stored.write_bytes(stored.read_bytes().replace(b'"value":2', b'"value":3'))
    status, out, _ = await moot(*words, servers=False)
    assert status == 1
    assert f"{TOPIC}/{partition}" in out


async def test_a_trail_of_a_key_names_what_was_written_again_and_no_forks(moot, bed, event):
    other = recorded(wrote("us-1:1", 5), "eu", Residency())
    async with LogWriter(bed.kafka, bed.prefix) as writer:
        await writer.append(TOPIC, [other, event])
    status, out, _ = await moot("trail", event.stream)
    assert status == 0
    lines = out.splitlines()
    assert [line.partition(" writes ")[2] for line in lines] == [
        "'k': 1",
        "'k': 2",
        "'k': 5",
        "'k': 2  [written again]",
        "",
    ]
