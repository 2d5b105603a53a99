"""`moot dev --regions`: regions, their replicator, and what `moot status` and `moot regions` say of them."""

import json
import os
import signal
import subprocess

from domain.context.recording import recorded
from domain.context.residency import Residency
from eventlog.writer import LogWriter
from tests.integration.replication.bed import until, write
from tests.integration.test_stack import STOPPED_WITHIN, Running, environ, eventually, living, moot


def said(folder, *words):
    done = subprocess.run(
        moot(*words), cwd=folder, env=environ(), capture_output=True, text=True, timeout=60, check=False
    )
    return done.returncode, json.loads(done.stdout)


async def test_two_regions_of_one_stack_come_to_have_the_same_context(tmp_path):
    running = Running(tmp_path, "--regions", "eu,us")
    try:
        stack = running.wait_until_ready()
        parts = ["kafka", "postgres", "temporal", "orchestrator", "projector", "replicator"]
        assert [*stack["parts"]] == parts
        async with LogWriter(stack["kafka"]) as writer:
            for one in (write("eu-1:1", 1), write("us-1:1", 2)):
                await writer.append(f"context.{one.region}", [recorded(one, one.region, Residency())])

        async def equal():
            status, found = said(tmp_path, "regions", "--json")
            return status == 0 and {name: one["writes"] for name, one in found["regions"].items()} == {
                "eu": 2,
                "us": 2,
            }

        await until(equal)
        status, found = said(tmp_path, "status", "--json")
        assert (status, [*found["parts"]][-1]) == (0, "replicator")
        assert found["parts"]["replicator"]["ready"]
        assert {one["topic"] for one in found["lag"]} >= {"context.eu", "context.us"}
        os.kill(stack["parts"]["replicator"]["pid"], signal.SIGKILL)
        assert eventually(lambda: "replicator    died and is started again" in running.log.read_text(), 20)
    finally:
        running.process.send_signal(signal.SIGINT)
        running.process.wait(STOPPED_WITHIN + 10)
    assert eventually(lambda: not living(tmp_path), STOPPED_WITHIN)
