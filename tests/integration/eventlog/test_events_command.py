"""`moot events` as a program calls it: one event a line, in order, and one clear line when it cannot."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer

from domain.context.recording import recorded
from domain.context.residency import Residency
from eventlog.codec import encode
from eventlog.topic_setup import ensure_topics
from tests.integration.eventlog.examples import DISCARD
from tests.unit.domain.context.given import wrote
from tests.unit.eventlog.examples import ballot, ballots

MOOT = [sys.executable, "-c", "from cli.main import run; run()"]


@pytest.fixture
def environ(kafka, prefix):
    return {**os.environ, "FOLKMOOT_KAFKA": kafka, "FOLKMOOT_TOPIC_PREFIX": prefix}


@pytest.fixture
def moot(environ, tmp_path):
    async def moot(*arguments, **changes):
        return await asyncio.to_thread(
            subprocess.run,
            [*MOOT, "events", *arguments],
            env=environ | changes | {"PYTHONPATH": str(Path.cwd())},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return moot


async def test_a_regions_topic_is_shown_among_all_and_alone(moot, kafka, prefix, writer):
    await ensure_topics(kafka, prefix, regions=["eu"])
    write = recorded(wrote("eu-1:1", 5), "eu", Residency())
    await writer.append("context.eu", [write])
    await writer.append("decisions", ballots(1))
    assert len((await moot("tail", "--json")).stdout.splitlines()) == 2
    done = await moot("tail", "--topic", "context.eu", "--json")
    assert [json.loads(line)["id"] for line in done.stdout.splitlines()] == [write.id]
    done = await moot("tail", "--topic", "context.mars")
    assert (done.returncode, done.stdout) == (1, "")
    assert "context.mars: is not on the cluster" in done.stderr


@pytest.fixture
async def foreign(kafka, prefix):
    """Put bytes on the log that are no event of ours."""

    async def foreign(value, key=b"consensus/0", timestamp_ms=None):
        async with AIOKafkaProducer(bootstrap_servers=kafka) as producer:
            await producer.send_and_wait(prefix + "fleet", value, key=key, timestamp_ms=timestamp_ms)

    return foreign


async def test_an_empty_log_prints_nothing_and_ends(moot):
    for arguments in (("tail",), ("tail", "--json"), ("tail", "--limit", "0", "--json")):
        done = await moot(*arguments)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


async def test_the_last_events_of_all_topics_are_printed_one_a_line_in_order_of_time(moot, writer):
    events = ballots(30, streams=9)
    await writer.append("decisions", events)
    await writer.append("deadletters", [DISCARD])  # it is as old as the first ballot
    done = await moot("tail", "--limit", "31", "--json")
    shown = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0
    assert {shown[0]["id"], shown[1]["id"]} == {events[0].id, DISCARD.id}
    assert [line["id"] for line in shown[2:]] == [event.id for event in events[1:]]
    assert [line["time"] for line in shown] == sorted(line["time"] for line in shown)
    stored = json.loads(encode(events[-1]))
    assert shown[-1].items() >= stored.items()
    assert {"topic", "partition", "offset"} <= shown[-1].keys()


async def test_a_limit_keeps_the_newest(moot, writer):
    events = ballots(12, streams=5)
    await writer.append("decisions", events)
    done = await moot("tail", "--limit", "3", "--json")
    assert [json.loads(line)["id"] for line in done.stdout.splitlines()] == [e.id for e in events[-3:]]


async def test_one_topic_can_be_chosen(moot, writer):
    await writer.append("decisions", ballots(3))
    await writer.append("deadletters", [DISCARD])
    done = await moot("tail", "--topic", "deadletters", "--json")
    (line,) = done.stdout.splitlines()
    assert json.loads(line)["id"] == DISCARD.id


async def test_what_is_no_event_is_shown_as_such_and_its_content_is_not(moot, foreign):
    await foreign(b"\xff\x1b[31mSECRET")
    await foreign(encode(ballot(reason="SECRET")).replace(b'"round":1', b'"round":"x"'))
    await foreign(None)
    done = await moot("tail", "--json")
    first, second, third = map(json.loads, done.stdout.splitlines())
    assert done.returncode == 0
    assert (first["id"], first["undecodable"], first["bytes"]) == (None, "is not UTF-8 at byte 0", 12)
    assert (second["id"], second["subject"]) == (ballot().id, "consensus/42")
    assert second["undecodable"] == "data.round is wrong: expected int, got str"
    assert third["undecodable"] == "is empty"
    human = await moot("tail")
    assert "fleet/0@0  no event: is not UTF-8 at byte 0 (12 bytes)" in human.stdout
    assert "SECRET" not in done.stdout + human.stdout


async def test_an_events_text_cannot_act_on_a_terminal(moot, writer):
    await writer.append("decisions", [ballot(reason="\x1b[2J\x9b31m\u202egnp.exe")])
    for arguments in (("tail",), ("tail", "--json"), ("show", ballot().id), ("show", ballot().id, "--json")):
        done = await moot(*arguments)
        assert done.returncode == 0
        assert all(line.isprintable() for line in done.stdout.splitlines())


async def test_an_event_is_shown_by_its_id(moot, writer):
    ((_, partition, offset),) = await writer.append("decisions", [ballot()])
    for arguments in ((), ("--json",)):
        done = await moot("show", ballot().id, *arguments)
        shown = json.loads(done.stdout)
        assert done.returncode == 0
        assert (shown["topic"], shown["partition"], shown["offset"]) == ("decisions", partition, offset)
        assert shown["data"]["voter"] == "ada"


@pytest.mark.parametrize(
    ("arguments", "changes", "code", "says"),
    [
        (("show", "42"), {}, 1, "'42' is not a UUIDv7"),
        (("show", ballot().id), {}, 1, "is on no topic of this log"),
        (
            ("tail",),
            {"FOLKMOOT_TOPIC_PREFIX": "nowhere."},
            1,
            "topic nowhere.decisions: is not on the cluster",
        ),
        (("tail",), {"FOLKMOOT_KAFKA": "127.0.0.1:1"}, 1, "moot: Kafka at 127.0.0.1:1 does not answer"),
        (("tail", "--limit", "-1"), {}, 2, "--limit"),
        (("tail", "--topic", "nothing"), {}, 2, "--topic"),
    ],
)
async def test_what_cannot_be_done_is_said_in_one_line(moot, arguments, changes, code, says):
    done = await moot(*arguments, **changes)
    assert (done.returncode, done.stdout) == (code, "")
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 1


async def test_following_shows_what_arrives(environ, writer, tmp_path):
    await writer.append("decisions", [ballot(version=1)])
    process = await asyncio.create_subprocess_exec(
        *MOOT,
        "events",
        "tail",
        "--follow",
        "--json",
        env=environ | {"PYTHONPATH": str(Path.cwd())},
        cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        first = await asyncio.wait_for(process.stdout.readline(), 30)
        await writer.append("decisions", [ballot(version=2)])
        second = await asyncio.wait_for(process.stdout.readline(), 30)
    finally:
        process.terminate()
        await process.wait()
    assert [json.loads(line)["streamversion"] for line in (first, second)] == [1, 2]
