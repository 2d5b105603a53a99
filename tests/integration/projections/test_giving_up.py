"""What a person does about parked records, on a real log and a real database."""

import asyncio

import asyncpg
import pytest

from domain.refusal import Refusal
from eventlog.partitioning import partition_of
from eventlog.reader import LogReader
from eventlog.topics import TOPICS
from projections import resume
from projections.consensus import ConsensusProjection
from projections.engine import PartitionProjector
from projections.resume import Resumed
from tests.integration.projections.bed import Seen, history, write
from workers import deadletters

PARTITION = partition_of(b"consensus/a", TOPICS["decisions"].partitions)
FIRST, SECOND = f"decisions.{PARTITION}.0", f"decisions.{PARTITION}.1"


async def project(settings, topic="decisions", partition=PARTITION):
    connection = await asyncpg.connect(settings.database_url)
    try:
        async with LogReader(settings.kafka, settings.topic_prefix) as reader:
            _, end = await reader.beginning_and_end(topic, partition)
            await PartitionProjector(reader, connection, topic, partition, Seen()).follow(end)
        return [tuple(row) for row in await connection.fetch("SELECT id, kind FROM dead_letter ORDER BY id")]
    finally:
        connection.terminate()


async def test_a_retry_after_the_code_was_mended_applies_what_was_parked(settings, monkeypatch):
    with monkeypatch.context() as broken:
        broken.setattr(ConsensusProjection, "fold", lambda *_: 1 // 0)
        await write(settings, history("a"))
        parked = await project(settings)
    assert parked[0] == (FIRST, "fault")
    assert await deadletters.retry(settings, FIRST) == Resumed(applied=len(parked), parked=0)
    assert await project(settings) == []


async def test_what_still_cannot_be_applied_is_parked_again(settings):
    await write(settings, history("a")[1:3])  # without the opening
    parked = await project(settings)
    assert parked == [(FIRST, "gap"), (SECOND, "behind")]
    assert await deadletters.retry(settings, None) == Resumed(applied=0, parked=2)
    assert await project(settings) == parked


async def test_a_record_is_given_up_by_an_event_and_no_retry_comes_between(settings):
    await write(settings, history("a")[1:3])
    await project(settings)
    event = await deadletters.discard(settings, FIRST, "Ada", "written by hand")
    assert (event.data.dead_letter, event.data.offset, event.data.who) == (FIRST, 0, "Ada")
    with pytest.raises(Refusal, match="a discard is on its way"):
        await deadletters.retry(settings, None)
    partition = partition_of(event.stream.encode(), TOPICS["deadletters"].partitions)
    assert [letter for letter, _ in await project(settings, "deadletters", partition)] == [SECOND]
    assert await deadletters.retry(settings, None) == Resumed(applied=0, parked=1)


async def test_a_second_discard_before_the_first_is_read_is_refused_and_parks_nothing(settings):
    await write(settings, history("a")[1:3])
    await project(settings)
    asked = [deadletters.discard(settings, FIRST, who, "written by hand") for who in ("Ada", "Bob")]
    done = await asyncio.gather(*asked, return_exceptions=True)
    (event,) = [one for one in done if not isinstance(one, Exception)]
    (refused,) = [one for one in done if isinstance(one, Refusal)]
    assert f"{FIRST} is given up already, by {event.data.who}: " in str(refused)
    with pytest.raises(Refusal, match="is given up already"):
        await deadletters.discard(settings, FIRST, event.data.who, "written by hand")
    assert await project(settings, "deadletters", 0) == [(SECOND, "impossible")]
    await deadletters.discard(settings, SECOND, "Bob", "written by hand")
    assert await project(settings, "deadletters", 0) == []


async def stopped_in_the_middle(settings, *names):
    """Streams that were under way when a record came which does not follow; its place in each."""
    for name in names:
        await write(settings, history(name)[:2])
    for name in names:
        await write(settings, [history(name, writer="eve")[1], *history(name)[2:]])
    for partition in range(TOPICS["decisions"].partitions):
        parked = await project(settings, partition=partition)
    return [letter for letter, kind in parked if kind == "fork"]


async def versions(settings):
    connection = await asyncpg.connect(settings.database_url)
    try:
        return dict(await connection.fetch("SELECT stream, version FROM deliberation"))
    finally:
        connection.terminate()


async def test_streams_that_were_under_way_go_on_after_a_discard(settings, monkeypatch):
    monkeypatch.setattr(resume, "CHUNK", 2)
    names = ("a", "b", "c")  # of more than one partition
    for letter in await stopped_in_the_middle(settings, *names):
        await deadletters.discard(settings, letter, "Ada", "written by hand")
    assert await project(settings, "deadletters", 0) == []
    assert await versions(settings) == {f"consensus/{name}": 6 for name in names}


async def test_a_stream_that_was_under_way_goes_on_after_a_retry(settings, monkeypatch):
    await write(settings, history("a")[:2])
    await project(settings)
    with monkeypatch.context() as broken:
        broken.setattr(ConsensusProjection, "fold", lambda *_: 1 // 0)
        await write(settings, history("a")[2:])
        await project(settings)
    monkeypatch.setattr(resume, "CHUNK", 2)
    assert await deadletters.retry(settings, None) == Resumed(applied=4, parked=0)
    assert await versions(settings) == {"consensus/a": 6}


@pytest.mark.parametrize(
    ("letter", "who", "why", "says"),
    [
        ("decisions.0.99", "Ada", "so", "is no parked record"),
        (SECOND, "Ada", "so", "only waits behind another"),
        (FIRST, " ", "so", "--as: has 1 characters"),
        (FIRST, "Ada", "", "--why: has 0 characters"),
    ],
)
async def test_what_cannot_be_given_up_is_refused_in_one_line(settings, letter, who, why, says):
    await write(settings, history("a")[1:3])
    before = await project(settings)
    with pytest.raises(Refusal, match=says):
        await deadletters.discard(settings, letter, who, why)
    assert await project(settings) == before


async def test_a_record_that_is_not_parked_cannot_be_retried(settings):
    with pytest.raises(Refusal, match="is no parked record"):
        await deadletters.retry(settings, "decisions.0.99")
