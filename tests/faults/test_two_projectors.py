"""Two projectors on the same partitions: the fence lets one through, and nothing has its effect twice."""

import asyncio
import re
import urllib.request
from contextlib import asynccontextmanager

from tests.faults.positions import until
from workers import ready
from workers.embedded.worker import moot

COUNTED = re.compile(
    r'^folkmoot_projector_(events|fence_lost)_total\{.*topic="decisions".*\} ([0-9.e+]+)$', re.MULTILINE
)
STARTED_WITHIN = 30.0


class Counters:
    """What a projector's own metrics say it committed, and how often it was beaten, since `begin`."""

    def __init__(self, log):
        self._log, self._before = log, {"events": 0.0, "fence_lost": 0.0}

    async def begin(self):
        self._before = await self._read()

    async def since(self):
        return {name: count - self._before[name] for name, count in (await self._read()).items()}

    async def _read(self):
        address = re.findall(r'"address": "(http://[^"]+)"', self._log())[-1]
        text = await asyncio.to_thread(lambda: urllib.request.urlopen(address, timeout=5).read().decode())  # noqa: S310 # our own metrics
        found = {"events": 0.0, "fence_lost": 0.0}
        for name, count in COUNTED.findall(text):
            found[name] += float(count)
        return found


@asynccontextmanager
async def rival(stack, folder):
    """A second projector of the same cluster, as on another machine."""
    at, log = stack.settings, folder / "rival.log"
    environ = stack.environ | {
        "FOLKMOOT_KAFKA": at.kafka,
        "FOLKMOOT_DATABASE_URL": at.database_url,
        "FOLKMOOT_SIGNING_KEY": at.signing_key,
        "FOLKMOOT_DATA": str(folder),
    }
    with log.open("wb") as out:
        process = await asyncio.create_subprocess_exec(
            *map(str, moot("worker", "projector")), env=environ, cwd=folder, stderr=out
        )
    try:

        async def is_ready():
            assert process.returncode is None, log.read_text()
            return ready.ready_pid(folder, "projector") == process.pid

        await until(is_ready, "the second projector is ready", STARTED_WITHIN)
        yield log.read_text
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_two_projectors_on_the_same_partitions_have_no_double_effect(scene, tmp_path, report):
    async with rival(scene.stack, tmp_path) as log:
        both = [Counters(lambda: scene.stack.log("projector")), Counters(log)]
        for one in both:
            await one.begin()
        began = await scene.positions.written()
        scene.dockets.begin()

        async def both_worked_and_met():
            seen = [await one.since() for one in both]
            return all(one["events"] for one in seen) and any(one["fence_lost"] for one in seen)

        await until(both_worked_and_met, "both projectors committed, and one was beaten")
        await scene.judged(await scene.dockets.finish(within=60))
        counted = [await one.since() for one in both]
        written = await scene.positions.written() - began
    report({"records": written, "committed and beaten": [[*map(int, one.values())] for one in counted]})
    assert sum(one["events"] for one in counted) == written
