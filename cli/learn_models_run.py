"""Speaks to the keeper of a model, the tables, the log and the store; every failure is one line."""

import hashlib
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
from temporalio.client import WorkflowQueryFailedError, WorkflowUpdateRPCTimeoutOrCancelledError
from temporalio.service import RPCError

from cli.consensus_row import jsonable
from cli.input_file import read
from domain.learning.commands import RunCycle
from domain.learning.versions.commands import MAX_OBSERVED, Observe
from domain.learning.versions.state import ModelState
from domain.refusal import Refusal
from domain.strict_json import printable
from projections.queries import Queries
from workers import schedules
from workers.models import TemporalModels
from workers.settings import Settings, load
from workers.temporal_client import connect
from workflows import names
from workflows.model_answers import ObservedAnswer

LISTED = 1_000
DIGEST = 24


async def listed() -> list[dict[str, Any]]:
    """Every model, as the read model knows them."""
    async with Queries(load(needs=["database_url"]).database_url) as tables:
        return [jsonable(row) for row in await tables.models(LISTED)]


async def show(model: str, version: str | None, *, rounds: bool) -> dict[str, Any]:
    """A model from its keeper, or, where Temporal has none, from the tables; with `rounds` of the log."""
    async with _keeper() as keeper:
        serving, rows = await keeper.serving(model), await keeper.versions(model)
    if serving is None:
        found = await _row(model)
    else:
        canary = serving.canary
        found = {
            "model": model,
            "active": serving.active.name if serving.active else None,
            "canary": asdict(canary) if canary else None,
            "drifts": serving.drifts,
            "drift_policy": asdict(serving.policy),
            "versions": [asdict(row.published) | asdict(row.standing) for row in rows],
        }
    if rounds:
        from cli import learn_rounds

        found["rounds"] = await learn_rounds.of_lineage(found, version)
    return found


async def _row(model: str) -> dict[str, Any]:
    async with Queries(load(needs=["database_url"]).database_url) as tables:
        row = await tables.model(names.model_stream(model))
    if row is None:
        raise Refusal("MODEL", f"{model} has no versions yet; see `moot learn models`")
    state = msgspec.json.decode(row["state"], type=ModelState)
    return {
        "model": model,
        "active": state.active,
        "canary": asdict(state.canary) if state.canary else None,
        "drifts": state.drifts,
        "drift_policy": asdict(state.policy),
        "versions": [asdict(one) | asdict(state.standing[one.version]) for one in state.versions],
    }


async def tell(model: str, update: str, command: object) -> dict[str, Any]:
    """Hand a command to the keeper; what was recorded, and who serves now."""
    async with _keeper() as keeper:
        events = await keeper.tell(model, update, command)
        serving = await keeper.serving(model)
    active = serving.active.name if serving and serving.active else None
    canary = serving.canary.version if serving and serving.canary else None
    return {"model": model, "event_ids": list(events), "active": active, "canary": canary}


async def serving_on(model: str, node: str) -> dict[str, Any]:
    """The version that a node is to serve, with its artifact."""
    async with _keeper() as keeper:
        found = await keeper.serving_on(model, node)
    if found is None:
        raise Refusal("MODEL", f"no version of {model} serves; see `moot learn models`")
    return {
        "model": model,
        "node": node,
        "version": found.name,
        "digest": found.digest,
        "artifact": asdict(found.model),
    }


async def observe(model: str, parts: Sequence[Observe]) -> dict[str, Any]:
    """Feed the parts one after the other."""
    events: list[str] = []
    drifts: list[dict[str, Any]] = []
    unlooked: str | None = None
    async with _keeper() as keeper:
        for part in parts:
            answer: ObservedAnswer = await keeper.tell(model, names.OBSERVE, part, ObservedAnswer)
            events += answer.events
            drifts += [asdict(answer.drift)] if answer.drift else []
            unlooked = answer.unlooked or unlooked
    losses = sum(len(part.losses) for part in parts)
    return {"model": model, "losses": losses, "event_ids": events, "drifts": drifts, "unlooked": unlooked}


def observations(
    file: Path | None, losses: Sequence[float], version: str | None, key: str | None
) -> list[Observe]:
    """What to feed, in parts that one update takes; a file that is fed again has the same ids.

    Raises:
        Refusal: a line of the file is no number.
    """
    if file is not None:
        content = read(file)
        losses = [_number(line, at) for at, line in enumerate(content.splitlines(), 1) if line.strip()]
        key = key or hashlib.sha256(content).hexdigest()[:DIGEST]
        if not losses:
            raise Refusal("FILE", "has no losses; write one a line, oldest first")
    key = key or uuid.uuid4().hex
    parts = [tuple(losses[at : at + MAX_OBSERVED]) for at in range(0, len(losses), MAX_OBSERVED)]
    return [Observe(f"{key}-{n}" if n else key, part, version) for n, part in enumerate(parts)]


def _number(line: bytes, at: int) -> float:
    try:
        return float(line)
    except ValueError:
        text = printable(line.decode("utf-8", "replace"), 40)
        raise Refusal("FILE", f"line {at}, '{text}', is no number; write one loss a line") from None


def cycle_of(file: Path | None) -> RunCycle | None:
    """The cycle that FILE asks for, refused here as the workers would refuse it."""
    from workflows.payloads import read_input

    return None if file is None else read_input(RunCycle, read(file))


async def collect(
    grace: timedelta, dry_run: Callable[[dict[str, Any]], None], *, yes: bool
) -> dict[str, Any]:
    """Look, show by `dry_run` what was found, and with `yes` take out just that."""
    from eventlog.reader import LogReader
    from workers import collecting
    from workers.artifacts import FsspecArtifacts

    settings = load(needs=["kafka", "temporal_address"])
    store = FsspecArtifacts(settings.artifacts)
    inputs = await schedules.inputs(await connect(settings))
    async with LogReader(settings.kafka, settings.topic_prefix) as reader:
        found = await collecting.look(store, reader, datetime.now(UTC), grace=grace, inputs=inputs)
    told = jsonable(asdict(found)) | {"unreferenced": [jsonable(asdict(one)) for one in found.unreferenced]}
    dry_run(told)
    removed = await collecting.take_out(store, found) if yes else None
    return told | {"removed": None if removed is None else len(removed)}


@asynccontextmanager
async def _keeper(settings: Settings | None = None) -> AsyncIterator[TemporalModels]:
    """The keeper's client; a Temporal or a worker that does not answer is said in one line."""
    client = await connect(settings or load(needs=["temporal_address"]))
    try:
        yield TemporalModels(client)
    except (RPCError, WorkflowQueryFailedError, WorkflowUpdateRPCTimeoutOrCancelledError) as error:
        why = printable(str(error), 120) or "no answer in time"
        raise Refusal(
            "MODEL",
            f"its keeper did not answer ({why}); does `moot worker orchestrator` run? Asking again is safe",
        ) from None
