"""How every part is, asked all at once and with a deadline each, so that no dead one hides the others."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import asyncpg
from temporalio.api.workflowservice.v1 import GetSystemInfoRequest

from domain.refusal import Refusal
from eventlog.connection import addresses, in_clear, shown
from eventlog.reader import LogReader
from workers import ready
from workers.embedded import stackfile
from workers.embedded.kafka import answers
from workers.settings import Settings
from workers.temporal_client import connect

ANSWER_WITHIN = 1.5  # seconds for one part
_ENDS_WITHIN = 1.0  # seconds for all partitions, asked of a Kafka that has just answered
# Without the checkpoints, which the sealer takes in when it starts: what it wrote since is no lag of its own.
_OFFSETS = """
SELECT projection, topic, partition, next_offset, newest_at FROM projection_offset
WHERE topic <> 'checkpoints' ORDER BY 1, 2, 3
"""
_LAST_CHECKPOINT = "SELECT topic, partition, size, sealed_at FROM checkpoint ORDER BY sealed_at DESC LIMIT 1"
WORKERS = ("orchestrator", "projector")


@dataclass(frozen=True, slots=True)
class Health:
    """One part. `problem` is empty when it is ready."""

    part: str
    address: str = ""
    version: str = ""
    pid: int | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Lag:
    """How many records of a partition a projection has not read yet; None when the log cannot be asked."""

    projection: str
    topic: str
    partition: int
    next_offset: int
    lag: int | None


@dataclass(frozen=True, slots=True)
class Report:
    """Everything `moot status` says. Ages are in seconds."""

    parts: list[Health]
    lags: list[Lag]
    newest_event_age: float | None
    checkpoint: dict[str, Any] | None

    @property
    def ready(self) -> bool:
        return not any(part.problem for part in self.parts)


async def examine(settings: Settings) -> Report:
    """Ask Kafka, Postgres and Temporal at once, look after the workers, and compare log and projections."""
    stack = stackfile.read(settings.data) or {}
    known = stack.get("parts", {})
    probes: dict[str, tuple[str, Callable[[], Awaitable[dict[str, Any]]]]] = {
        "temporal": (settings.temporal_address, lambda: _temporal(settings)),
        "kafka": (shown(settings.kafka), lambda: _kafka(settings.kafka)),
        "postgres": (_host(settings.database_url), lambda: _postgres(settings.database_url)),
    }
    found = await asyncio.gather(*(_probe(name, address, ask) for name, (address, ask) in probes.items()))
    said = {health.part: answer for health, answer in found}
    parts = [_known(health, known) for health, _ in found]
    parts += [_worker(name, settings, known) for name in WORKERS]
    offsets = said["postgres"].get("offsets", [])
    ends = await _ends(settings, offsets) if "kafka" in said and not parts[1].problem else {}
    newest = max((row["newest_at"] for row in offsets if row["newest_at"]), default=None)
    return Report(
        parts,
        [_lag(row, ends) for row in offsets],
        (datetime.now(UTC) - newest).total_seconds() if newest else None,
        said["postgres"].get("checkpoint"),
    )


async def _probe(
    part: str, address: str, ask: Callable[[], Awaitable[dict[str, Any]]]
) -> tuple[Health, dict[str, Any]]:
    try:
        async with asyncio.timeout(ANSWER_WITHIN):
            answer = await ask()
    except TimeoutError:
        return Health(part, address, problem=f"does not answer within {ANSWER_WITHIN} s"), {}
    except Refusal as refusal:
        return Health(part, address, problem=refusal.problem), {}
    except Exception as error:  # noqa: BLE001 # each driver has its own errors, and each is an answer here
        return Health(part, address, problem=str(error).split("\n")[0] or type(error).__name__), {}
    return Health(part, address, str(answer.pop("version", "")), problem=answer.pop("problem", "")), answer


async def _temporal(settings: Settings) -> dict[str, Any]:
    client = await connect(settings)
    info = await client.workflow_service.get_system_info(GetSystemInfoRequest())
    return {"version": info.server_version}


async def _kafka(bootstrap: str) -> dict[str, Any]:
    if not in_clear(bootstrap):
        async with LogReader(bootstrap):  # a handshake and a metadata request, or the reason why not
            return {}
    # Any one of the bootstrap addresses is enough for a client, so it is for us.
    servers = addresses(bootstrap)
    asked = [asyncio.to_thread(answers, host, port, ANSWER_WITHIN / 2) for host, port in servers]
    return {} if any(await asyncio.gather(*asked)) else {"problem": "does not answer"}


async def _postgres(url: str) -> dict[str, Any]:
    connection = await asyncpg.connect(url, timeout=ANSWER_WITHIN)
    try:
        version = await connection.fetchval("SHOW server_version")
        offsets = await connection.fetch(_OFFSETS)
        last = await connection.fetchrow(_LAST_CHECKPOINT)
    except asyncpg.UndefinedTableError:
        return {"version": version, "problem": "its tables are missing: run `moot migrate`"}
    finally:
        connection.terminate()  # at once: a polite goodbye may wait for a server that is away by now
    return {"version": version, "offsets": offsets, "checkpoint": dict(last) if last else None}


async def _ends(settings: Settings, offsets: list[Any]) -> dict[tuple[str, int], int]:
    wanted = {(row["topic"], row["partition"]) for row in offsets}
    try:
        async with asyncio.timeout(_ENDS_WITHIN), LogReader(settings.kafka, settings.topic_prefix) as reader:
            return {place: (await reader.beginning_and_end(*place))[1] for place in wanted}
    except (TimeoutError, OSError, Refusal):
        return {}


def _lag(row: Any, ends: dict[tuple[str, int], int]) -> Lag:
    end = ends.get((row["topic"], row["partition"]))
    behind = None if end is None else max(0, end - row["next_offset"])
    return Lag(row["projection"], row["topic"], row["partition"], row["next_offset"], behind)


def _known(health: Health, known: dict[str, Any]) -> Health:
    # What only the stack's file tells: the process, and the version that Kafka does not state.
    stated = known.get(health.part, {})
    version = health.version or ("" if health.problem else stated.get("version", ""))
    return Health(health.part, health.address, version, stated.get("pid"), health.problem)


def _worker(name: str, settings: Settings, known: dict[str, Any]) -> Health:
    pid = ready.ready_pid(settings.data, name)
    own = known.get(name)
    version = own["version"] if own else ""
    if pid is None or (pid != own["pid"] if own else not stackfile.alive(pid)):
        return Health(name, problem=f"is not ready; run by `moot dev` or `moot worker {name}`")
    return Health(name, version=version, pid=pid)


def _host(url: str) -> str:
    # Never the whole URL: it holds a password.
    parts = urlsplit(url)
    return f"{parts.hostname or ''}:{parts.port or 5432}"
