"""The disk runs full: one line says so with the way out, nothing acknowledged is lost, and it goes on."""

import asyncio
import os
import subprocess
import sys

import pytest

from eventlog.writer import LogWriter
from tests.faults.callers import Appender, problems
from tests.faults.positions import until
from tests.faults.whole_stack import WholeStack

ROOM = 480  # MiB: a fresh stack takes a hundred, and three hundred must be free to start one
_CHUNK = bytes(1 << 20)


@pytest.fixture
def disk(tmp_path):
    """A file system of `ROOM` MiB of this test's own."""
    place = tmp_path / "disk"
    place.mkdir(mode=0o755)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={ROOM}m,mode=755", "tmpfs", str(place)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"only root can mount a small disk to be filled: {done.stderr.strip()}")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)  # noqa: S607 # as above


def fill(place, leave=0):
    """Write until the disk is full, or until only so many MiB are free."""
    with (place / "fill").open("wb", buffering=0) as file:
        while os.statvfs(place).f_bavail * os.statvfs(place).f_frsize >> 20 > leave:
            try:
                file.write(_CHUNK)
            except OSError:
                return


def test_a_stack_is_not_started_on_a_disk_that_is_nearly_full(disk):
    fill(disk, leave=250)
    dev = [sys.executable, "-P", "-m", "cli.main", "dev", "--ports", "auto"]
    said = subprocess.run(dev, cwd=disk, capture_output=True, text=True, check=False, timeout=30)
    assert (said.returncode, said.stdout, said.stderr.count("\n")) == (1, "", 1)
    assert "MiB are free" in said.stderr
    assert "make room, or name another folder with --data" in said.stderr


@pytest.mark.chaos
class TestUnderWork:
    @pytest.fixture
    def stack(self, disk):
        stack = WholeStack(disk)
        try:
            stack.start()
            yield stack
        finally:
            stack.stop()

    async def test_a_disk_that_runs_full_loses_nothing_and_all_goes_on_once_there_is_room(
        self, scene, disk, report
    ):
        stack = scene.stack
        async with LogWriter(stack.settings.kafka, deadline=2) as writer:
            appender = Appender(writer)
            appending = asyncio.create_task(appender.run())
            fill(disk)

            async def kafka_died():
                return any(h["state"] == "died" and h["part"] == "kafka" for h in stack.happened)

            await until(kafka_died, "Kafka has died of the full disk")
            assert [h["free_mib"] for h in stack.happened if h["state"] == "died"][-1] < 10
            told, acknowledged = appender.told, len(appender.acknowledged)

            async def told_again():
                return appender.told > told + 1

            await until(told_again, "the writer is told that nothing is written")
            wrong, _ = await problems(stack)
            assert "kafka" in wrong
            (disk / "fill").unlink()

            async def written_again():
                return len(appender.acknowledged) > acknowledged + 20

            await until(written_again, "the writer writes again")
            appender.stop()
            await appending
        scene.dockets.begin()
        found = await scene.judged(await scene.dockets.finish(within=120))
        assert set(appender.acknowledged) <= found.streams
        await scene.audited()
        report({"died": [h["part"] for h in stack.happened if h["state"] == "died"], "told": appender.told})
