"""From a round's updates to the next model: by the strategy, and by what the privacy method lets it see."""

import asyncio
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from activities import stored_updates
from activities.learning_ports import LargeArtifacts
from activities.learning_tasks import AggregateRound
from activities.privacy.port import RoundLost, Session, Sum
from activities.privacy.registry import Methods
from domain.artifact import ArtifactRef
from domain.learning import evidence, tensor_file
from domain.learning.attempt import NewModel
from domain.learning.combinations import settings_of
from domain.learning.events import PrivacyMetadata, Report
from domain.learning.figures import drift_distance, mean_loss
from domain.learning.strategy import Aggregated, Strategy
from domain.learning.tensors import Tensors, check_tensors, digest
from domain.learning.trainer import Evaluation, Trainer
from domain.learning.wire import group_model, groups_of, model_schema
from domain.refusal import Refusal


class Parts(Protocol):
    """What of the control side aggregation needs."""

    @property
    def artifacts(self) -> LargeArtifacts: ...
    @property
    def methods(self) -> Methods: ...


@dataclass(frozen=True, slots=True)
class Part:
    """A round's session, or that of a shard of it, and what its clients revealed of the sum's masks."""

    session: Session
    revealed: Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class Making:
    """What a model is made by: a task, its reports, and everything that its names stand for."""

    own: Parts
    task: AggregateRound
    reports: Sequence[Report]
    strategy: Strategy
    trainer: Trainer
    parts: tuple["Part", ...]

    @property
    def session(self) -> Session:
        """Of the round, or of its first shard."""
        return self.parts[0].session

    @property
    def settings(self) -> Mapping[str, float]:
        return settings_of(self.task.opening.request, self.strategy)


async def aggregate(making: Making) -> NewModel:
    """The next model and what is said of it; the same for the same task.

    Raises:
        RoundLost: too few updates could enter it.
        Refusal: an artifact is missing or was changed, or the strategy or the method cannot go on.
    """
    own, task = making.own, making.task
    model, _ = tensor_file.decode(await own.artifacts.mapped(task.model), "model")
    state: Tensors = {}
    if task.state is not None:
        state, _ = tensor_file.decode(await own.artifacts.mapped(task.state), "state")
    if own.methods.method(making.session.spec).individual:
        made, excluded = await _of_each(making, model, state)
        return await _told(making, model, made, excluded, None)
    summed = await _summed(making)
    _check_enough(making, len(summed.clients))
    made = await asyncio.to_thread(_step, making, model, state, summed)
    inside = set(summed.clients)
    excluded = tuple(report.client for report in making.reports if report.client not in inside)
    return await _told(making, model, made, excluded, summed)


async def _summed(making: Making) -> Sum:
    """The sum of the round; of several shards, that of those which could be summed."""
    found, lost = [], []
    half = making.own.methods.aggregator(making.session.spec)
    for part in making.parts:
        own = set(part.session.cohort)
        reports = [report for report in making.reports if report.client in own]
        try:
            updates = await stored_updates.hidden(making.own.artifacts, reports)
            found.append(await half.sum(part.session, updates, part.revealed))
        except RoundLost as why:
            lost.append(why)
    if not found:
        raise lost[0]
    return found[0] if len(found) == 1 else _added(found)


def _added(parts: Sequence[Sum]) -> Sum:
    total = {name: np.asarray(array, np.float64).copy() for name, array in parts[0].total.items()}
    for part in parts[1:]:
        for name, array in part.total.items():
            total[name] += array
    clients = sorted(client for part in parts for client in part.clients)
    return Sum(total, math.fsum(part.weight for part in parts), tuple(clients), parts[0].privacy)


async def _of_each(making: Making, model: Tensors, state: Tensors) -> tuple[Aggregated, tuple[str, ...]]:
    updates, broken = await stored_updates.opened(making.own.artifacts, making.reports, making.session.schema)
    _check_enough(making, len(updates.clients))
    schema = making.task.opening.schema
    made = await asyncio.to_thread(making.strategy.aggregate, schema, model, updates, state, making.settings)
    return made, (*broken, *made.excluded)


def _step(making: Making, model: Tensors, state: Tensors, summed: Sum) -> Aggregated:
    if not summed.weight > 0 or summed.total.keys() != {spec.name for spec in making.session.schema}:
        raise Refusal("sum", "it has no weight, or other tensors than the updates")
    mean = {name: np.asarray(array, np.float64) / summed.weight for name, array in summed.total.items()}
    return making.strategy.step(making.task.opening.schema, model, mean, state, making.settings)


def _check_enough(making: Making, came: int) -> None:
    minimum = making.task.opening.request.cohort.minimum
    if came < minimum:
        raise RoundLost("", f"{came} of {minimum} updates could enter the model")


async def _told(
    making: Making, model: Tensors, made: Aggregated, excluded: Sequence[str], summed: Sum | None
) -> NewModel:
    own, task = making.own, making.task
    kind = making.strategy.client
    check_tensors(model_schema(task.opening.schema, kind, model), made.model, "next model")
    left_out = set(excluded)
    inside = [report for report in making.reports if report.client not in left_out]
    shown = await _evaluated(making, made.model, inside)
    return NewModel(
        excluded=tuple(sorted(left_out)),
        model=await own.artifacts.put(tensor_file.encode(made.model)),
        digest=digest(made.model),
        state=await own.artifacts.put(tensor_file.encode(made.state)) if made.state else None,
        loss=shown[0],
        accuracy=shown[1],
        drift=await asyncio.to_thread(drift_distance, model, made.model),
        privacy=await _privacy(own.methods, making.session, summed),
        evidence=await _evidence(own.artifacts, making.session.spec.method, summed, inside),
    )


async def _evaluated(
    making: Making, model: Tensors, inside: Sequence[Report]
) -> tuple[float | None, float | None]:
    """On the holdout; without one, what the clients' own rows said of the model that they were given."""
    request, schema, trainer = making.task.opening.request, making.task.opening.schema, making.trainer
    if request.holdout is None:
        return mean_loss(inside), None
    content = await making.own.artifacts.mapped(request.holdout)
    rows, _ = tensor_file.decode(content, "holdout", tensor_file.ROWS)
    settings = request.trainer.settings

    def best() -> Evaluation:
        """Of a clustered model, that of the group which does best on these rows."""
        if making.strategy.client != "clustered":
            return trainer.evaluate(model, rows, settings)
        parts = (group_model(schema, model, one) for one in groups_of(schema, model))
        return min((trainer.evaluate(part, rows, settings) for part in parts), key=lambda one: one.loss)

    found = await asyncio.to_thread(best)
    if not math.isfinite(found.loss):
        raise Refusal("model", "its loss on the holdout is NaN or an infinity; lower the learning rates")
    return float(found.loss), None if found.accuracy is None else float(found.accuracy)


async def _privacy(methods: Methods, session: Session, summed: Sum | None) -> PrivacyMetadata:
    accountant = methods.of(session.spec).accountant
    known = summed.privacy if summed is not None else None
    if accountant is None:
        return known or PrivacyMetadata(session.spec.method)
    said = await accountant.stated(session)
    if known is None:
        return said
    return replace(said, utility_preserved=known.utility_preserved, clip=known.clip)


async def _evidence(
    artifacts: LargeArtifacts, method: str, summed: Sum | None, inside: Sequence[Report]
) -> ArtifactRef | None:
    """Of a hidden sum: itself, and whose updates are in it, so that an audit can make the model again."""
    if summed is None:
        return None
    updates = {report.client: report.sha256 for report in inside}
    kept = evidence.Evidence(method, summed.total, float(summed.weight), updates)
    return await artifacts.put(await asyncio.to_thread(evidence.write, kept))
