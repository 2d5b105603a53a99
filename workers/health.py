"""How every part is, asked all at once and with a deadline each, so that no dead one hides the others."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from domain.refusal import Refusal
from eventlog.connection import shown
from eventlog.topics import REGIONAL, family_of
from projections.connection import shown as place_of
from projections.sealing import Stopped
from workers import probes, ready
from workers.embedded import crashes, stackfile
from workers.settings import Settings

CHECKPOINTS = "checkpoints"  # in the place of a log that is sealed no more: none can be
WORKERS = ("orchestrator", "projector")
REPLICATOR = "replicator"
_HELP = "docs/explanation/audit.md, When sealing has ended"


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
    """Everything `moot status` says. Ages are in seconds; `parked` is None where Postgres cannot be asked.

    `fleet` says of each region how many node processes are announced, for how many clients, and how many
    `gone`. Whether one lives is not known: it shows when it does not take its task.
    """

    parts: list[Health]
    lags: list[Lag]
    newest_event_age: float | None
    checkpoint: dict[str, Any] | None
    parked: int | None
    fleet: Sequence[dict[str, Any]] = ()

    @property
    def ready(self) -> bool:
        return not any(part.problem for part in self.parts)


async def examine(settings: Settings) -> Report:
    """Ask Kafka, Postgres and Temporal at once, look after the workers, and compare log and projections."""
    stack = stackfile.read(settings.data) or {}
    known = stack.get("parts", {})
    asked: dict[str, tuple[str, Callable[[], Awaitable[dict[str, Any]]]]] = {
        "temporal": (settings.temporal_address, lambda: probes.temporal(settings)),
        "kafka": (shown(settings.kafka), lambda: probes.kafka(settings.kafka)),
        "postgres": (place_of(settings.database_url), lambda: probes.postgres(settings.database_url)),
    }
    found = await asyncio.gather(*(_probe(name, address, ask) for name, (address, ask) in asked.items()))
    said = {health.part: answer for health, answer in found}
    parts = [_known(health, known) for health, _ in found]
    elsewhere = {**said["temporal"], **said["postgres"]}
    parts += [_worker(name, settings, known, elsewhere.get(name, 0)) for name in WORKERS]
    offsets = said["postgres"].get("offsets", [])
    parts += _replicator(settings, known, {row["topic"] for row in offsets})
    ends = await probes.ends(settings, offsets) if "kafka" in said and not parts[1].problem else {}
    parts = [_sealing(part, said["postgres"].get("stopped", []), offsets, ends) for part in parts]
    parts = [_steady(part, known, time.time()) for part in parts]
    newest = max((row["newest_at"] for row in offsets if row["newest_at"]), default=None)
    return Report(
        parts,
        [_lag(row, ends) for row in offsets],
        (datetime.now(UTC) - newest).total_seconds() if newest else None,
        said["postgres"].get("checkpoint"),
        said["postgres"].get("parked"),
        said["postgres"].get("fleet", ()),
    )


async def _probe(
    part: str, address: str, ask: Callable[[], Awaitable[dict[str, Any]]]
) -> tuple[Health, dict[str, Any]]:
    try:
        async with asyncio.timeout(probes.ANSWER_WITHIN):
            answer = await ask()
    except TimeoutError:
        return Health(part, address, problem=f"does not answer within {probes.ANSWER_WITHIN} s"), {}
    except Refusal as refusal:
        return Health(part, address, problem=refusal.problem), {}
    except Exception as error:  # noqa: BLE001 # each driver has its own errors, and each is an answer here
        return Health(part, address, problem=str(error).split("\n")[0] or type(error).__name__), {}
    return Health(part, address, str(answer.pop("version", "")), problem=answer.pop("problem", "")), answer


def _lag(row: Any, ends: dict[tuple[str, int], int]) -> Lag:
    end = ends.get((row["topic"], row["partition"]))
    behind = None if end is None else max(0, end - row["next_offset"])
    return Lag(row["projection"], row["topic"], row["partition"], row["next_offset"], behind)


def _known(health: Health, known: dict[str, Any]) -> Health:
    # What only the stack's file tells: the process, and the version that Kafka does not state.
    stated = known.get(health.part, {})
    version = health.version or ("" if health.problem else stated.get("version", ""))
    return Health(health.part, health.address, version, stated.get("pid"), health.problem)


def _worker(name: str, settings: Settings, known: dict[str, Any], elsewhere: int) -> Health:
    if own := known.get(name):
        at_work = ready.is_ready(settings.data, name, own["pid"])
        problem = _hung(name, settings, own["pid"]) if at_work else f"is not ready; see {own['log']}"
        return Health(name, version=own["version"], pid=own["pid"], problem=problem)
    if (pid := ready.ready_pid(settings.data, name)) is not None:
        return Health(name, pid=pid, problem=_hung(name, settings, pid))
    # On another machine its process is out of sight, but what it does on Temporal and Postgres is not.
    if elsewhere:
        return Health(name, address=f"{elsewhere} elsewhere")
    return Health(name, problem=f"is not ready; run by `moot dev` or `moot worker {name}`")


def _replicator(settings: Settings, known: dict[str, Any], topics: set[str]) -> list[Health]:
    """The replicator, where there is one, or where there are regions between which one is needed.

    It leaves no sign of itself on any server but the offsets that it has committed, so one that runs on
    another machine is not seen, and none here is no problem.
    """
    if REPLICATOR in known or ready.ready_pid(settings.data, REPLICATOR) is not None:
        return [_worker(REPLICATOR, settings, known, 0)]
    regions = [topic for topic in topics if family_of(topic) in REGIONAL]
    return [Health(REPLICATOR, address="not seen here")] if len(regions) > 1 else []


def _hung(name: str, settings: Settings, pid: int) -> str:
    """What is wrong with a worker whose process lives and gives no sign of life; nothing if it does."""
    silent = ready.silent_seconds(settings.data, name, pid)
    if silent <= ready.HUNG_SECONDS:
        return ""
    return f"hangs: no sign of life for {silent:.0f} s; if it stays so, `kill -9 {pid}` and start it again"


def _steady(health: Health, known: Mapping[str, Any], now: float) -> Health:
    """A part that was started again just now answers until it dies again: that is said beside all else."""
    stated = known.get(health.part, {})
    crashing = crashes.problem(stated.get("deaths", ()), now, stated.get("log", ""))
    return replace(health, problem="; ".join(filter(None, (health.problem, crashing))))


def _sealing(
    health: Health, stopped: Sequence[Stopped], offsets: Sequence[Any], ends: Mapping[tuple[str, int], int]
) -> Health:
    """A projector that lives is not well while the log is another one than it has read, or sealed."""
    if health.part != "projector" or health.problem:
        return health
    if unsigned := next((log for log in stopped if log.topic == CHECKPOINTS), None):
        return replace(health, problem=f"seals nothing: {unsigned.reason}")
    found = [f"{log.topic}/{log.partition} is sealed no more: {log.reason}" for log in stopped]
    refused = {(row["topic"], row["partition"]): row["refused"] for row in offsets if row["refused"]}
    found += [f"{topic}/{n} is projected no further: {why}" for (topic, n), why in refused.items()]
    for row in offsets:
        end = ends.get((row["topic"], row["partition"]))
        if end is not None and end < row["next_offset"] and not row["refused"]:
            place = f"{row['topic']}/{row['partition']}"
            found.append(
                f"{place} was set back: {row['projection']} has read {row['next_offset']}, it ends at {end}"
            )
    if not found:
        return health
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    return replace(health, problem=f"{found[0]}{more}; run `moot audit verify`, see {_HELP}")
