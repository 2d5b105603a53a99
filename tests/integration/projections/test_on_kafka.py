"""The parts together on a real Kafka: projector and rebuild, the commands that a person types."""

import asyncio
import json
import os
import sys

import asyncpg
import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions

from eventlog.reader import LogReader
from eventlog.record import RawRecord
from eventlog.topic_setup import ensure_topics
from eventlog.writer import LogWriter
from projections import filling
from projections.engine import PartitionProjector
from projections.second_process import SecondProcess
from tests.integration.projections.bed import Bed, Seen, history

TOPICS = ("decisions", "deadletters")


@pytest.fixture
async def real(kafka, topic_prefix, tables):
    """A bed on a real log, and how to write to it."""
    await ensure_topics(kafka, topic_prefix)
    async with LogReader(kafka, topic_prefix) as reader, LogWriter(kafka, topic_prefix) as writer:
        bed = Bed(tables, await asyncpg.connect(tables), reader)
        yield bed, writer
        await bed.close()


async def project_all(bed):
    for topic in TOPICS:
        for partition in await bed.log.partitions(topic):
            _, end = await bed.log.beginning_and_end(topic, partition)
            await PartitionProjector(bed.log, bed.connection, topic, partition, Seen()).follow(end)


async def test_a_second_process_shares_a_rebuild_and_the_rows_are_the_same(
    real, kafka, topic_prefix, monkeypatch
):
    bed, writer = real
    monkeypatch.setattr(filling, "WORTH_SHARING", 10)
    for number in range(40):
        await writer.append("decisions", history(f"n{number}"))
    await writer.append("decisions", history("n3")[:4])  # again
    await writer.append("decisions", [history("n4", writer="eve")[5]])
    await project_all(bed)
    before = await bed.hashes()
    assert [kind for _, kind in await bed.parked()] == ["fork"]
    told = []
    with SecondProcess(kafka, topic_prefix, bed.database, method="spawn") as second:
        work = await bed.rebuilding(second=second, progress=lambda done, of: told.append((done, of)))
        done = await work.rebuild()
        assert await bed.hashes() == before
        assert {found.difference for found in await work.verify()} == {None}
    assert done.events == 40 * 6 + 5
    assert told[-1] == (done.events, done.events)


async def test_a_second_process_that_dies_ends_the_rebuild_and_leaves_the_live_tables(
    real, kafka, topic_prefix, monkeypatch
):
    bed, writer = real
    monkeypatch.setattr(filling, "WORTH_SHARING", 1)
    await writer.append("decisions", history("a"))
    await project_all(bed)
    before = await bed.hashes()
    with SecondProcess(kafka, topic_prefix, bed.database, method="spawn") as second:
        second._process.kill()
        second._process.join()
        with pytest.raises(OSError):  # noqa: PT011 # the pipe's own words, or ours
            await (await bed.rebuilding(second=second)).rebuild()
    assert await bed.hashes() == before


async def test_a_second_process_that_fails_takes_all_that_is_given_and_says_why_in_the_end(real):
    bed, _ = real
    orders = filling.Orders(("consensus",), {}, 0, "public")  # there are no tables to fill
    records = [RawRecord("decisions", 0, n, 0, b"consensus/a", b"x" * 100_000) for n in range(200)]
    with SecondProcess(bed.log._bootstrap, bed.log._prefix, bed.database, method="spawn") as second:
        channel = await second.open(orders, {}, {("decisions", 0): 200})
        async with asyncio.timeout(60):
            for record in records:  # more than any buffer between the two holds
                await channel.give([record])
            with pytest.raises(ConnectionError, match=r"failed: UndefinedTableError"):
                await channel.sums(lambda _: None)
            await channel.close()


async def test_what_was_given_in_vain_does_not_reach_the_next_rebuild(real, monkeypatch):
    bed, writer = real
    monkeypatch.setattr(filling, "WORTH_SHARING", 1)
    for number in range(10):
        await writer.append("decisions", history(f"n{number}"))
    await project_all(bed)
    before = await bed.hashes()
    with SecondProcess(bed.log._bootstrap, bed.log._prefix, bed.database, method="spawn") as second:
        channel = await second.open(
            filling.Orders(("consensus",), {}, 0, "public"), {}, {("decisions", 0): 9}
        )
        await channel.give([RawRecord("decisions", 0, 0, 0, b"consensus/a", b"never ended")])
        await channel.close()
        done = await (await bed.rebuilding(second=second)).rebuild()
    assert done.events == 60
    assert await bed.hashes() == before


@pytest.fixture
def moot(kafka, topic_prefix, tables, tmp_path):
    """Run a command as a person would; its status, standard output and standard error."""
    environ = {
        **os.environ,
        "FOLKMOOT_KAFKA": kafka,
        "FOLKMOOT_TOPIC_PREFIX": topic_prefix,
        "FOLKMOOT_DATABASE_URL": tables,
        "FOLKMOOT_DATA": str(tmp_path),
    }

    async def run(*words):
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "cli.main", *words),
            env=environ,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate()
        return process.returncode, out.decode(), err.decode()

    return run


async def test_a_person_finds_a_poison_event_and_lets_its_stream_go_on(real, moot):
    bed, writer = real
    good = history("a")
    await writer.append("decisions", good[:2])
    await writer.append("decisions", [history("a", writer="eve")[1]])
    await writer.append("decisions", good[2:])
    await project_all(bed)

    status, out, _ = await moot("deadletters", "list", "--json")
    (found,) = json.loads(out)
    assert (status, found["kind"], found["stream"]) == (0, "fork", "consensus/a")
    status, out, _ = await moot("deadletters", "show", found["id"])
    assert status == 0
    assert "waiting      4" in out
    status, out, _ = await moot("deadletters", "retry", found["id"], "--json")
    assert (status, json.loads(out)) == (1, {"applied": 0, "parked": 5})
    status, _, err = await moot("deadletters", "discard", found["id"], "--as", " ", "--why", "forged")
    assert (status, len(err.splitlines())) == (1, 1)
    status, out, err = await moot("deadletters", "discard", found["id"], "--as", "Ada", "--why", "forged")
    assert (status, err) == (0, "")
    await project_all(bed)
    assert await bed.versions() == {"consensus/a": 6}
    assert await bed.rows("discard", "who, why") == [("Ada", "forged")]
    assert (await moot("deadletters", "list"))[1] == "no record is parked\n"
    assert await bed.differences() == []


async def test_a_rebuild_from_the_command_line_verifies_and_mends(real, moot):
    bed, writer = real
    await writer.append("decisions", history("a"))
    await project_all(bed)
    status, out, _ = await moot("rebuild", "--all", "--verify", "--json")
    assert (status, json.loads(out)["equal"]) == (0, True)
    await bed.connection.execute("UPDATE deliberation SET question = 'Will it snow?'")
    status, out, _ = await moot("rebuild", "consensus", "--verify")
    assert status == 1
    assert 'question is "Will it snow?", should be "Will it rain?"' in out
    status, out, _ = await moot("rebuild", "consensus", "--json")
    assert (status, json.loads(out)["projections"]) == (0, ["consensus"])
    assert await bed.differences() == []


async def test_a_topic_that_was_given_more_partitions_is_refused_and_nothing_is_parked(
    real, moot, kafka, topic_prefix
):
    bed, writer = real
    await writer.append("decisions", history("a"))
    await project_all(bed)
    before = await bed.hashes()
    assert (await moot("rebuild", "--all"))[0] == 0
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    await admin.create_partitions({f"{topic_prefix}decisions": NewPartitions(6)})
    await admin.close()
    for words in (("rebuild", "--all"), ("worker", "projector")):
        status, _, err = await moot(*words)
        assert status == 1
        assert "topic decisions: has 6 partitions on the cluster, but was projected with 4" in err
    assert await bed.hashes() == before


@pytest.mark.parametrize(
    ("words", "status", "says"),
    [
        (("rebuild",), 2, "name one projection, or say --all"),
        (("rebuild", "nothing"), 1, "'nothing' is none of"),
        (("deadletters", "show", "\x1b[2J"), 1, "no parked record"),
        (("deadletters", "retry"), 2, "name one parked record, or say --all"),
        (("deadletters", "discard", "decisions.0.1"), 2, "Missing option '--as'"),
        (("worker", "projector", "--partitions", "x"), 2, "numbers separated by commas"),
        (("worker", "projector", "--metrics", "nowhere"), 1, "is not host:port"),
    ],
)
async def test_misuse_is_one_line(real, moot, words, status, says):
    found, out, err = await moot(*words)
    assert (found, out) == (status, "")
    assert says in err.splitlines()[-1]
    assert "\x1b" not in err
