"""`moot worker replicator` as it is typed: served numbers, and refusals in one line."""

import asyncio
import json
import os
import re
import signal
import sys
import urllib.request
from pathlib import Path

import pytest

from eventlog.topic_setup import ensure_topics
from tests.integration.replication.bed import until


@pytest.fixture
def environ(kafka, topic_prefix, tmp_path):
    kept = {k: v for k, v in os.environ.items() if not k.startswith("FOLKMOOT_")}
    own = {"FOLKMOOT_KAFKA": kafka, "FOLKMOOT_TOPIC_PREFIX": topic_prefix, "FOLKMOOT_DATA": str(tmp_path)}
    return kept | own | {"PYTHONPATH": str(Path.cwd())}


async def started(folder, environ, *words):
    with (folder / "log").open("wb") as log:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "cli.main", "worker", "replicator", *words),
            env=environ,
            cwd=folder,
            stdout=log,
            stderr=log,
        )


async def test_the_lag_of_every_way_is_served_for_prometheus(regions, environ, tmp_path):
    process = await started(tmp_path, environ, "--metrics", "127.0.0.1:0")
    try:

        async def announced():
            return "replicator.metrics" in (tmp_path / "log").read_text()

        await until(announced)
        lines = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
        (address,) = (line["address"] for line in lines if line["event"] == "replicator.metrics")

        def served():
            with urllib.request.urlopen(address, timeout=5) as page:  # noqa: S310 # of our own process
                return page.read().decode()

        async def known():
            found = re.findall(
                r"^context_synchronization_lag\{.*\} (\S+)$", await asyncio.to_thread(served), re.MULTILINE
            )
            return len(found) == 24 and "nan" not in map(str.lower, found)

        await until(known)
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--from", "eu", "--to", "eu"), "regions: two at least are needed, there is eu: `moot migrate"),
        (("--from", "EU", "--to", "us"), "--from: 'EU' is not 1 to 40"),
        (("--from", "eu", "--mirrored", "eu"), "--from: eu is named twice"),
        (("--policy", "missing.json"), "policy missing.json: cannot be read"),
        (("--metrics", "nowhere"), "--metrics: nowhere is not host:port"),
        ((), "regions: two at least are needed, there is eu:"),
    ],
)
async def test_what_cannot_be_done_is_said_in_one_line(kafka, environ, tmp_path, words, says):
    if not words:
        await ensure_topics(kafka, environ["FOLKMOOT_TOPIC_PREFIX"], regions=["eu"])
    process = await started(tmp_path, environ, *words)
    async with asyncio.timeout(30):
        assert await process.wait() == 1
    (line,) = [line for line in (tmp_path / "log").read_text().splitlines() if line.startswith("moot: ")]
    assert says in line
