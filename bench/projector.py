"""The projector against its floor: Kafka to committed read tables, in processes of their own, interleaved."""

import asyncio
import json
import subprocess
import sys
import uuid
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlsplit

import asyncpg
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from bench import consensus_events, projector_process
from bench.figure import Figure
from bench.servers import servers
from domain.event import Event
from eventlog.codec import encode
from eventlog.topics import TOPICS, settings
from eventlog.writer import LogWriter
from projections import schema

EVENTS = 200_000
HOT_KEYS = 2_000
RUNS = 3
APPEND = 5_000  # events at a time
SLOWEST = 600.0  # seconds for one run
ROOT = Path(__file__).parent.parent

Run = dict[str, float]


@dataclass(frozen=True, slots=True)
class Log:
    """A log of one partition, filled."""

    prefix: str
    events: int
    bytes_each: float


async def measure(kafka: str, database_url: str, events: int = EVENTS, runs: int = RUNS) -> dict[str, Any]:
    """Every run's rate (events/s), CPU seconds and peak memory (MB) by what ran, and the logs they read.

    `database_url` is of a server on which databases may be made and dropped.
    """
    distinct = [*consensus_events.distinct(events)]
    hot = [*consensus_events.hot(events, max(1, HOT_KEYS * events // EVENTS))]
    logs = {"distinct": await _fill(kafka, distinct), "hot": await _fill(kafka, hot)}
    found: dict[str, list[Run]] = {"process": []}
    for _ in range(runs):
        for kind, log in logs.items():
            for what in (["floor"], ["ours", "rebuild"]):
                database = await _database(database_url, migrated=what != ["floor"])
                for step in what:
                    found.setdefault(f"{step} {kind}", []).append(_run(step, kafka, log, database))
                await _drop(database_url, database)
        found["process"].append(await _process(kafka, database_url, distinct))
    return {"runs": found, "bytes_each": {kind: log.bytes_each for kind, log in logs.items()}}


def figures() -> list[Figure]:
    """Start a Kafka and a Postgres of our own, and measure on them."""
    with servers() as (kafka, database_url):
        return told(asyncio.run(measure(kafka, database_url)))


def told(found: dict[str, Any]) -> list[Figure]:
    """The figures that were asked for, out of what was measured."""
    runs = found["runs"]

    def rate(what: str) -> float:
        return median(run["rate"] for run in runs[what])

    def ratio(what: str, against: str) -> float:
        # Of neighbours in time, since the machine itself changes from minute to minute.
        return median(a["rate"] / b["rate"] for a, b in zip(runs[what], runs[against], strict=True))

    sizes = ", ".join(f"{kind} {size:.0f}" for kind, size in found["bytes_each"].items())
    measured = [run for what, all_ in runs.items() if what.startswith(("ours", "process")) for run in all_]
    sealed = f"all sealed {median(run['sealed'] for run in runs['process']):.1f} s after the last commit"
    back = [run["back"] for run in runs["process"]]
    return [
        Figure("projector, distinct keys, of the floor", ratio("ours distinct", "floor distinct"), "", 0.55),
        Figure(
            "projector, distinct keys",
            rate("ours distinct"),
            "events/s",
            40_000,
            note=f"bytes each: {sizes}; asked of 300 to 600",
        ),
        Figure("floor, distinct keys", rate("floor distinct"), "events/s"),
        Figure("projector, hot keys, of distinct", ratio("ours hot", "ours distinct"), "", 1.0),
        Figure("projector, hot keys", rate("ours hot"), "events/s"),
        Figure("floor, hot keys", rate("floor hot"), "events/s"),
        Figure("projector process, with its sealer, of the floor", ratio("process", "floor distinct"), ""),
        Figure("projector process, with its sealer, distinct keys", rate("process"), "events/s", note=sealed),
        Figure("projector, memory at most", max(run["rss_mb"] for run in measured), "MB", 200, "<="),
        Figure("projector, back after kill -9", max(back), "s", 5, "<=", f"slowest of {len(back)}"),
        Figure(
            "rebuild, distinct keys, of live",
            ratio("rebuild distinct", "ours distinct"),
            "",
            1.5,
            note="by two processes",
        ),
        Figure("rebuild, distinct keys", rate("rebuild distinct"), "events/s"),
        Figure("rebuild, hot keys, of live", ratio("rebuild hot", "ours hot"), ""),
        Figure("rebuild, hot keys", rate("rebuild hot"), "events/s"),
    ]


def _run(what: str, kafka: str, log: Log, database_url: str) -> Run:
    arguments = [what, kafka, log.prefix, database_url, str(log.events)]
    done = subprocess.run(
        [sys.executable, "-m", "bench.projector_run", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        timeout=SLOWEST,
        check=True,
    )
    return _said(what, json.loads(done.stdout))


def _said(what: str, found: Run) -> Run:
    sys.stderr.write(f"{what:<8} {found['rate']:>9,.0f}/s  {found['rss_mb']:.0f} MB\n")
    return found


async def _process(kafka: str, server_url: str, events: list[Event]) -> Run:
    log = await _fill(kafka, events)  # its own, since it publishes checkpoints beside it
    database = await _database(server_url, migrated=True)
    found = await projector_process.measure(kafka, log.prefix, database, log.events)
    await _drop(server_url, database)
    return _said("process", found)


async def _fill(kafka: str, events: list[Event]) -> Log:
    prefix = f"bench{uuid.uuid4().hex[:8]}."
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    kept = settings(1)  # above all: for ever
    await admin.create_topics([NewTopic(prefix + name, 1, 1, topic_configs=kept) for name in TOPICS])
    await admin.close()
    async with LogWriter(kafka, prefix, linger_ms=5, deadline=120) as writer:
        for first in range(0, len(events), APPEND):
            await writer.append("decisions", events[first : first + APPEND])
    sample = events[:: max(1, len(events) // 1000)]
    return Log(prefix, len(events), sum(len(encode(event)) for event in sample) / len(sample))


async def _database(server_url: str, *, migrated: bool) -> str:
    name = f"bench_{uuid.uuid4().hex[:8]}"
    await _execute(server_url, f"CREATE DATABASE {name}")
    made = urlsplit(server_url)._replace(path=f"/{name}").geturl()
    if migrated:
        await schema.upgrade(made)
    await _execute(server_url, "CHECKPOINT")  # nobody pays for what was written before
    return made


async def _drop(server_url: str, database_url: str) -> None:
    await _execute(server_url, f"DROP DATABASE {urlsplit(database_url).path[1:]} WITH (FORCE)")


async def _execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(statement)
    await connection.close()
