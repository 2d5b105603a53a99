"""One run of the projector, of its floor or of a rebuild, in a process of its own; it prints JSON."""

import asyncio
import json
import resource
import sys
import time
from functools import partial
from pathlib import Path
from typing import Literal

import asyncpg

from bench import floor
from eventlog.reader import LogReader
from projections.batch import Folded
from projections.engine import PartitionProjector
from projections.rebuild import Rebuild
from projections.registry import PROJECTIONS
from projections.second_process import SecondProcess
from workers.projector import calm_the_collector


class Silent:
    """Nobody needs to know."""

    def standing(self, topic: str, partition: int, next_offset: int) -> None: ...

    def applied(self, topic: str, partition: int, folded: Folded, seconds: float) -> None: ...


async def ours(kafka: str, prefix: str, database_url: str, end: int) -> int:
    connection = await asyncpg.connect(database_url)
    async with LogReader(kafka, prefix) as reader:
        await PartitionProjector(reader, connection, "decisions", 0, Silent()).follow(end)
    await connection.close()
    return end


async def rebuild(kafka: str, prefix: str, database_url: str, end: int, second: SecondProcess) -> int:
    live, beside = await asyncpg.connect(database_url), await asyncpg.connect(database_url)
    async with LogReader(kafka, prefix) as reader:
        done = await Rebuild(reader, live, beside, PROJECTIONS, second=second).rebuild()
    if done.events != end:
        raise RuntimeError(f"{done.events} events were rebuilt, {end} are on the log")
    return end


async def plain(kafka: str, prefix: str, database_url: str, end: int) -> int:
    return await floor.project(kafka, f"{prefix}decisions", database_url, end)


def main() -> None:
    """`python -m bench.projector_run floor|ours|rebuild KAFKA PREFIX DATABASE_URL END`."""
    what, kafka, prefix, database_url, end = sys.argv[1:]
    calm_the_collector()
    with SecondProcess(kafka, prefix, database_url) as second:
        work = {"floor": plain, "ours": ours, "rebuild": partial(rebuild, second=second)}[what]
        began, used = time.perf_counter(), time.process_time()
        events = asyncio.run(work(kafka, prefix, database_url, int(end)))
        seconds = time.perf_counter() - began
    found = {
        "seconds": seconds,
        "rate": events / seconds,
        "cpu_seconds": time.process_time() - used,
        "rss_mb": peak_mb(),
    }
    print(json.dumps(found))


def peak_mb(pid: int | Literal["self"] = "self") -> float:
    """The most memory a process held; on Linux getrusage would count the parent's before the exec."""
    status = Path(f"/proc/{pid}/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20  # bytes on macOS
    (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    main()
