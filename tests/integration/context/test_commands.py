"""What a person types: put, get, history, watch, import."""

import asyncio
import json
import signal
import sys
import time
from datetime import UTC, datetime

from tests.integration.context.test_client import on_the_log
from tests.integration.projections.bed import until

LAKE = ("situational", "weather/lake")


async def read_back(moot, shown, *arguments):
    """What a command prints once the tables have what it should show."""
    printed = None

    async def seen():
        nonlocal printed
        status, out, _ = await moot(*arguments, "--json")
        printed = json.loads(out) if status == 0 else None
        return printed is not None and shown(printed)

    await until(seen, "it is shown")
    return printed


async def test_a_value_is_put_read_and_put_again_only_over_the_version_that_was_read(moot, projector):
    status, out, said = await moot("put", *LAKE, '{"wind": 3}', "--node", "eu-1", "--writer", "ada", "--json")
    assert (status, said) == (0, "")
    answer = json.loads(out)
    assert answer.pop("context_id")[14] == "7"
    assert answer == {
        "success": True,
        "local_version": "eu-1:1",
        "conflicts_detected": 0,
        "requires_remote_resolution": False,
    }
    found = await read_back(moot, lambda found: found["present"], "get", *LAKE)
    assert (found["value"], found["version"], found["projected"]) == ({"wind": 3}, "eu-1:1", True)
    status, out, said = await moot("put", *LAKE, "4", "--if-version", "eu-1:7")
    assert (status, out) == (1, "")
    assert said == "moot: if_version: is eu-1:7, but the region has eu-1:1; read it again\n"
    status, out, _ = await moot("put", *LAKE, "still", "--text", "--if-version", "eu-1:1")
    assert status == 0
    assert out.startswith("stored ")


async def test_history_and_an_earlier_moment_are_read_from_the_log(moot):
    await moot("put", *LAKE, "1", "--node", "eu-1")
    between = datetime.now(UTC).isoformat()
    await asyncio.sleep(0.002)  # the clock counts milliseconds
    await moot("put", *LAKE, "2", "--node", "eu-1", "--writer", "bob")
    status, out, said = await moot("history", *LAKE, "--json")
    assert (status, said) == (0, "")
    told = [json.loads(line) for line in out.splitlines()]
    assert [(t["value"], t["counter"], t["standing"], t["writer"]) for t in told] == [
        (1, 1, "new", "eu-1"),
        (2, 2, "new", "bob"),
    ]
    status, out, _ = await moot("get", *LAKE, "--at", between, "--json")
    assert (status, json.loads(out)["value"], json.loads(out)["version"]) == (0, 1, "eu-1:1")
    status, _, said = await moot("get", *LAKE, "--at", "2001-01-01T00:00:00Z")
    assert status == 1
    assert said.startswith("moot: key: eu has no value under 'weather/lake' of layer situational at 2001")
    status, _, said = await moot("get", *LAKE, "--at", "yesterday")
    assert (status, said[:40]) == (1, "moot: --at: 'yesterday' is no time with ")


async def test_watch_shows_what_comes_and_of_the_asked_keys_only(moot, environ):
    watching = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "cli.main", "context", "watch", "--key", "weather/*", "--limit", "2"),
        "--json",
        env=environ,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert b"watching eu" in await asyncio.wait_for(watching.stderr.readline(), 20)
    await moot("put", *LAKE, "1")
    await moot("put", "situational", "other", "2")
    await moot("put", *LAKE, "3")
    out, said = await asyncio.wait_for(watching.communicate(), 20)
    assert said == b""
    assert [json.loads(line)["value"] for line in out.splitlines()] == [1, 3]
    assert watching.returncode == 0


def rows(file, count, broken=None):
    lines = [
        json.dumps({"layer": "cultural", "key": f"k{n}", "value": n, "writer": "w"}) for n in range(count)
    ]
    if broken is not None:
        lines[broken - 1] = json.dumps({"layer": "cultural", "key": 5, "value": 1})
    file.write_text("\n".join(lines) + "\n")


async def test_a_broken_row_is_named_and_the_import_goes_on_there_once_it_is_mended(moot, tmp_path):
    file = tmp_path / "rows.jsonl"
    rows(file, 30, broken=12)
    status, out, said = await moot("import", str(file), "--node", "eu-1")
    assert (status, out) == (1, "")
    assert said == "moot: line 12: key: is not text\n"
    rows(file, 30)
    status, out, _ = await moot("import", str(file), "--node", "eu-1", "--json")
    assert (status, json.loads(out)["rows"], json.loads(out)["lines_before"]) == (0, 19, 11)
    status, out, _ = await moot("import", str(file), "--node", "eu-1")
    assert (status, out) == (0, "0 rows imported, after 30 lines that were there already\n")
    with file.open("a") as more:
        more.write('{"layer": "cultural", "key": "k0", "value": "new"}\n')
    status, out, _ = await moot("import", str(file), "--node", "eu-1", "--json")
    assert (status, json.loads(out)["rows"]) == (0, 1)
    _, out, _ = await moot("history", "cultural", "k0", "--json")
    assert [json.loads(line)["value"] for line in out.splitlines()] == [0, "new"]


async def test_an_import_that_was_killed_goes_on_and_no_row_is_lost_or_twice(
    moot, environ, settings, tmp_path
):
    file = tmp_path / "rows.jsonl"
    rows(file, 30_000)
    outbox = settings.data / "context" / "eu" / "eu-1.db"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "cli.main", "context", "import", str(file), "--node", "eu-1"),
        env=environ,
    )
    until_then = time.monotonic() + 20
    while (not outbox.exists() or not marked(outbox)) and time.monotonic() < until_then:  # noqa: ASYNC110 # a file gives no signal
        await asyncio.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    assert await process.wait() == -signal.SIGKILL
    before = marked(outbox)
    assert 0 < before < 30_000
    status, out, _ = await moot("import", str(file), "--node", "eu-1", "--json")
    assert (status, json.loads(out)["rows"], json.loads(out)["lines_before"]) == (0, 30_000 - before, before)
    events = await on_the_log(settings)
    assert len({event.id for event in events}) == 30_000
    assert {(event.data.key, event.data.value) for event in events} == {(f"k{n}", n) for n in range(30_000)}


def marked(outbox):
    """How many lines the outbox says are in."""
    import sqlite3

    connection = sqlite3.connect(f"file:{outbox}?mode=ro", uri=True)
    try:
        return connection.execute("SELECT coalesce(max(lines), 0) FROM imported").fetchone()[0]
    except sqlite3.Error:
        return 0
    finally:
        connection.close()


async def test_a_command_without_a_region_says_how_to_name_one(moot):
    status, _, said = await moot("put", *LAKE, "1", FOLKMOOT_REGION="")
    assert (status, said) == (1, "moot: region: is not named: give --region NAME, or set FOLKMOOT_REGION\n")


async def test_text_that_is_no_json_is_refused_with_the_way_to_write_it(moot):
    status, _, said = await moot("put", *LAKE, "calm")
    assert status == 1
    assert "--text" in said


async def test_with_the_servers_away_a_command_still_answers_and_says_what_waits(moot):
    assert (await moot("put", *LAKE, "1", "--node", "eu-1"))[0] == 0
    away = {"FOLKMOOT_KAFKA": "127.0.0.1:1", "FOLKMOOT_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/x"}
    status, out, said = await moot("put", *LAKE, "2", "--node", "eu-1", "--json", **away)
    assert (status, json.loads(out)["local_version"]) == (0, "eu-1:2")
    assert said.startswith("moot: Kafka has not taken 1 put of eu-1 yet")
    status, out, said = await moot("get", *LAKE, "--node", "eu-1", "--json", **away)
    assert (status, json.loads(out)["value"], json.loads(out)["projected"]) == (0, 2, False)
    assert said.startswith("moot: shown is what this node itself has: ")
    status, out, said = await moot("put", *LAKE, "3", "--node", "eu-1", "--if-version", "eu-1:2", **away)
    assert (status, out) == (1, "")
    assert said.splitlines()[1].startswith("moot: if_version: what eu has cannot be looked up now")
    assert (await moot("put", *LAKE, "4", "--node", "eu-1"))[2] == ""  # and what waited is passed on
    _, out, _ = await moot("history", *LAKE, "--json")
    assert [json.loads(line)["value"] for line in out.splitlines()] == [1, 2, 4]
