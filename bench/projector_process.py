"""The projector as it runs, sealer and metrics included: `moot worker projector`, killed hard half way.

What `bench.projector_run` measures is its loop alone; here the process does all that it does in a stack.
"""

import asyncio
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg

from bench.projector_run import peak_mb
from projections.merkle import SEALER
from projections.registry import standing_on
from workers.embedded.worker import moot

TOPIC = "decisions"
LOOK = 0.02  # seconds between two looks at where it stands
SLOWEST = 600.0  # seconds

Found = dict[str, float]


async def measure(kafka: str, prefix: str, database_url: str, end: int) -> Found:
    """A log of `end` events from its first to its last, with a `kill -9` after a third of it.

    Returns:
        `rate` in events/s from the first commit after the kill to the last event; `back` in seconds from the
        kill to the first row that moved, the start of a new process included; `sealed` in seconds from the
        last event's commit until it is sealed; `rss_mb` at most.

    Raises:
        RuntimeError: it ended, stood still, or the tables do not hold every event once.
    """
    connection = await asyncpg.connect(database_url)
    with tempfile.TemporaryDirectory(prefix="moot-bench-") as folder:
        settings = (kafka, prefix, database_url, folder)
        with _process(*settings) as first:
            at = await _past(connection, first, end // 3)
        killed = time.perf_counter()
        with _process(*settings) as second:
            from_ = await _past(connection, second, at)
            back = time.perf_counter()
            await _past(connection, second, end - 1)
            done = time.perf_counter()
            await _past(connection, second, end - 1, SEALER)
            sealed = time.perf_counter()
            memory = peak_mb(second.pid)
    counted = await connection.fetchval("SELECT sum(version) FROM deliberation")
    await connection.close()
    if counted != end:
        raise RuntimeError(f"{counted} events are in the tables, {end} on the log")
    return {
        "rate": (end - from_) / (done - back),
        "back": back - killed,
        "sealed": sealed - done,
        "rss_mb": memory,
    }


@contextmanager
def _process(kafka: str, prefix: str, database_url: str, folder: str) -> Iterator[subprocess.Popen[bytes]]:
    """A projector until the block ends; then it is killed hard."""
    environ = os.environ | {
        "FOLKMOOT_KAFKA": kafka,
        "FOLKMOOT_TOPIC_PREFIX": prefix,
        "FOLKMOOT_DATABASE_URL": database_url,
        "FOLKMOOT_DATA": folder,
    }
    with (Path(folder) / "projector.log").open("ab") as log:
        process = subprocess.Popen(moot("worker", "projector"), env=environ, cwd=folder, stderr=log)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


async def _past(
    connection: asyncpg.Connection, process: subprocess.Popen[bytes], offset: int, who: str = ""
) -> int:
    """Wait until `who`, or else every projection, has committed more than `offset`; up to where."""
    until = time.monotonic() + SLOWEST
    while (at := await _committed(connection, [who] if who else standing_on(TOPIC))) <= offset:
        if process.poll() is not None or time.monotonic() > until:
            raise RuntimeError(f"moot worker projector stands at offset {at}, status {process.returncode}")
        await asyncio.sleep(LOOK)
    return at


async def _committed(connection: asyncpg.Connection, names: list[str]) -> int:
    at: int | None = await connection.fetchval(
        "SELECT min(next_offset) FROM projection_offset WHERE topic = $1 AND projection = ANY($2::text[])",
        TOPIC,
        names,
    )
    return at or 0
