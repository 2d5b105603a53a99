"""Storms of conflicts that need a decision, on a whole stack: how soon one is taken in, what a case costs."""

import asyncio
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import asyncpg

from bench.family import megabytes, processor_seconds
from bench.figure import Figure
from bench.stack import Stack, running
from domain.context.events import Written
from domain.context.recording import recorded
from domain.context.residency import Residency
from eventlog.writer import LogWriter

CONFLICTS = 500  # decided to the last
STORM = 10_000  # taken in, in a minute; to decide them all takes hours
TOGETHER = 1_000  # writes in one append
MEMBERS = 3
BOUND = 200
_LOOK = 0.5  # seconds between two looks
_ABSORBED_WITHIN = 300.0  # seconds
_SLOWEST = 1.0  # seconds a case, at most
_POLICY = {
    "regional_appeal_seconds": 0,
    "global_appeal_seconds": 0,
    "annulment_seconds": 0,
    "weighting": "equal",
}
_STATE = """
SELECT count(*) FILTER (WHERE closed_at IS NULL) AS open, count(closed_at) AS closed,
  count(*) FILTER (WHERE status = 'resolved') AS resolved
FROM conflict_case
"""
_MET = "SELECT count(*) FROM context_entry WHERE key LIKE 'storm/%' AND version >= 2"


@dataclass(slots=True)
class Storm:
    """What was seen; times in seconds from the first write of each storm."""

    absorbed: float = 0.0  # until the tables had every conflict of the great one
    drained: float = 0.0
    most_open: int = 0
    resolved: int = 0
    closed: int = 0
    seconds_of: dict[str, float] = field(default_factory=dict)  # of processor time, by process
    megabytes_of: dict[str, float] = field(default_factory=dict)


def figures(conflicts: int = CONFLICTS, many: int = STORM) -> list[Figure]:
    """A storm of so many conflicts, each heard by a panel of three with recorded ballots, to its end.

    Then one of `many`, until every one of them waits for its case or has it, while others are decided.
    """
    with TemporaryDirectory(prefix="moot-bench-") as folder:
        policy = Path(folder) / "conflict.json"
        policy.write_text(json.dumps(reaction()))
        with running(more={"FOLKMOOT_CONFLICT_POLICY": str(policy)}, regions="eu") as stack:
            found = asyncio.run(_both(stack, conflicts, many))
    return told(found, conflicts, many)


def reaction() -> dict[str, object]:
    members = [
        {"id": f"m{n}", "region": "eu", "ballots": [{"choice": "ann-1", "confidence": 0.8}]}
        for n in range(MEMBERS)
    ]
    return {"open_cases": BOUND, "members": members, "policy": _POLICY}


def writes(name: str, conflicts: int, began: int) -> Iterator[Written]:
    """Two of each key, by two nodes that knew nothing of each other."""
    for key in range(conflicts):
        for node, beds in (("ann", 9), ("bob", 7)):
            yield Written("situational", f"{name}/{key}", {"beds": beds}, node, "eu", node, 1, began + key)


async def _both(stack: Stack, conflicts: int, many: int) -> Storm:
    found = await storm(stack, conflicts)
    await absorb(stack, found, many)
    return found


async def storm(stack: Stack, conflicts: int) -> Storm:
    """Write, and look on until every case is closed."""
    found, root = Storm(), stack.process.pid
    connection = await asyncpg.connect(stack.settings.database_url)
    before, began = processor_seconds(root), time.monotonic()
    writing = asyncio.create_task(_write(stack, "ward", conflicts))
    while found.closed < conflicts:
        row = await connection.fetchrow(_STATE)
        found.closed, found.resolved = row["closed"], row["resolved"]
        found.most_open = max(found.most_open, row["open"])
        passed = time.monotonic() - began
        for name, size in megabytes(root).items():
            found.megabytes_of[name] = max(size, found.megabytes_of.get(name, 0.0))
        if passed > 60 + _SLOWEST * conflicts:
            raise RuntimeError(f"{found.closed} of {conflicts} cases are closed after {passed:.0f} s")
        await asyncio.sleep(_LOOK)
    found.drained = time.monotonic() - began
    await writing
    found.seconds_of = {n: s - before.get(n, 0.0) for n, s in processor_seconds(root).items()}
    await connection.close()
    return found


async def absorb(stack: Stack, found: Storm, many: int) -> None:
    """Write, and look on until the tables have both writes of every key: one by itself is no conflict."""
    connection = await asyncpg.connect(stack.settings.database_url)
    began = time.monotonic()
    writing = asyncio.create_task(_write(stack, "storm", many))
    while await connection.fetchval(_MET) < many:
        row = await connection.fetchrow(_STATE)
        found.most_open = max(found.most_open, row["open"])
        if time.monotonic() - began > _ABSORBED_WITHIN:
            raise RuntimeError(f"of {many} conflicts not all are in the tables")
        await asyncio.sleep(_LOOK)
    found.absorbed = time.monotonic() - began
    await writing
    await connection.close()


async def _write(stack: Stack, name: str, conflicts: int) -> None:
    made = list(writes(name, conflicts, time.time_ns() // 1_000_000))
    async with LogWriter(stack.settings.kafka, stack.settings.topic_prefix) as log:
        for first in range(0, len(made), TOGETHER):
            events = [recorded(one, "eu", Residency()) for one in made[first : first + TOGETHER]]
            await log.append("context.eu", events)


def told(found: Storm, conflicts: int, many: int) -> list[Figure]:
    spent = ", ".join(
        f"{name} {1000 * seconds / conflicts:.1f}"
        for name, seconds in sorted(found.seconds_of.items(), key=lambda one: -one[1])
        if seconds > 0
    )
    total = 1000 * sum(found.seconds_of.values()) / conflicts
    return [
        Figure(
            f"{many:,} conflicts at once, absorbed",
            found.absorbed,
            "s",
            60,
            "<=",
            "in the tables, each in its turn for a case; cases run beside it",
        ),
        Figure("open cases, at most", found.most_open, "cases", BOUND, "<="),
        Figure(
            f"cases closed, {conflicts:,} conflicts at once, to the last",
            conflicts / found.drained,
            "cases/s",
            note=f"{found.resolved:,} resolved",
        ),
        Figure("processor time of a case", total, "ms", note=spent),
        Figure("projector and reactor, at most", found.megabytes_of.get("projector", 0.0), "MB"),
    ]
