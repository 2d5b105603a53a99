"""A canary is tried: who is asked, and, on a node, how good two versions are on the rows that stay there."""

import asyncio
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from temporalio import activity

from activities.learning_ports import Roster
from activities.training import Host
from domain.artifact import ArtifactRef
from domain.learning.fleet import Candidate
from domain.learning.policy import TrainerSpec
from domain.learning.tensor_file import header
from domain.learning.tensors import Schema, Tensors, check_tensors
from domain.learning.trainer import Evaluation, Rows, Trainer
from domain.learning.versions.policy import WORST, EvaluateOn, HostEvaluation, drawn, weighted_loss
from domain.learning.wire import group_model, groups_of, model_schema
from domain.refusal import Refusal

PANEL = 100
"""Hosts at most that are asked about a canary, and clients at most of each."""


@dataclass(frozen=True, slots=True)
class PanelWanted:
    """Who is to evaluate a canary: as `CanaryStarted` draws them."""

    model: str
    version: str
    share: float
    seed: int
    on: EvaluateOn


@dataclass(frozen=True, slots=True)
class PanelHost:
    """A host and those of its clients that have rows for it."""

    host: str
    clients: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EvaluateVersion:
    """Evaluate both versions on the rows that the clients have of `since` up to and without `until`."""

    host: str
    clients: tuple[str, ...]
    canary: ArtifactRef
    former: ArtifactRef
    trainer: TrainerSpec
    data: str
    since: datetime
    until: datetime


class Panels:
    """Draws who evaluates, from the injected roster."""

    def __init__(self, roster: Roster) -> None:
        self._roster = roster

    @activity.defn(name="canary_panel")
    async def canary_panel(self, wanted: PanelWanted) -> tuple[PanelHost, ...]:
        """The hosts that serve the canary, as far as they can evaluate it."""
        return panel(wanted, await self._roster.candidates())


def panel(wanted: PanelWanted, candidates: Sequence[Candidate]) -> tuple[PanelHost, ...]:
    """The hosts whose draw lies within the canary's share, or else the one that comes nearest to it.

    Only hosts with a client that has the data set and the trainer; at most `PANEL` of them.
    """
    able: dict[str, list[str]] = {}
    for one in candidates:
        has = any(offer.name == wanted.on.data.name and offer.rows for offer in one.client.data)
        if has and wanted.on.trainer.name in one.client.trainers:
            able.setdefault(one.host, []).append(one.client.id)
    order = sorted((drawn(wanted.model, wanted.version, wanted.seed, host), host) for host in able)
    within = [host for draw, host in order if draw < wanted.share] or [host for _, host in order[:1]]
    return tuple(PanelHost(host, tuple(sorted(able[host])[:PANEL])) for host in within[:PANEL])


class Evaluating:
    """On a node: rows are read here and go nowhere; two means and a count leave."""

    def __init__(self, host: Host) -> None:
        self._own = host

    @activity.defn(name="evaluate_version")
    async def evaluate_version(self, task: EvaluateVersion) -> HostEvaluation:
        """How good both versions are here; a canary that holds NaN or an infinity is the worst.

        Raises:
            Refusal: the trainer, a model or the rows are not here, or do not fit each other.
        """
        trainer = self._own.trainers.named(task.trainer.name)
        schema = trainer.schema(task.trainer.settings)
        canary = await self._parts(schema, task.canary, "canary")
        former = await self._parts(schema, task.former, "former model")
        if former is None:
            raise Refusal("former model", "holds NaN or an infinity, so nothing can be held against it")
        found = await asyncio.to_thread(self._evaluate, trainer, task, canary, former)
        if not found:
            raise Refusal("data", f"no client here has rows of '{task.data}' in that time")
        ours, theirs = [one for one, _ in found], [other for _, other in found]
        return HostEvaluation(task.host, mean(ours), mean(theirs))

    async def _parts(self, schema: Schema, ref: ArtifactRef, what: str) -> list[Tensors] | None:
        """The model, or those of each group of a clustered one; None where it is not finite."""
        content = await self._own.artifacts.mapped(ref)
        places = header(content, what).places
        model = {name: place.view(content) for name, place in places.items()}
        if not all(np.isfinite(each).all() for each in model.values()):
            return None
        groups = groups_of(schema, model)
        check_tensors(model_schema(schema, "clustered", model) if groups else schema, model, what)
        return [group_model(schema, model, group) for group in groups] or [model]

    def _evaluate(
        self,
        trainer: Trainer,
        task: EvaluateVersion,
        canary: list[Tensors] | None,
        former: list[Tensors],
    ) -> list[tuple[Evaluation, Evaluation]]:
        found = []
        for client in task.clients:
            try:
                data = self._own.clients(client)
            except Refusal:
                continue  # it has moved to another host since the roster was read
            rows = data.rows(task.data, task.since, task.until)
            if all(len(each) for each in rows.values()):
                theirs = _best(trainer, former, rows, task)
                burst = Evaluation(WORST, None, theirs.samples)
                found.append((burst if canary is None else _best(trainer, canary, rows, task), theirs))
        return found


def _best(trainer: Trainer, parts: Sequence[Tensors], rows: Rows, task: EvaluateVersion) -> Evaluation:
    """Of a clustered model the group that fits the client's rows."""
    found = [_bounded(trainer.evaluate(part, rows, task.trainer.settings)) for part in parts]
    return min(found, key=lambda one: one.loss)


def mean(found: Sequence[Evaluation]) -> Evaluation:
    """The means over the rows of all; no accuracy where one has none."""
    rows = sum(one.samples for one in found)
    known = [one.accuracy * (one.samples / rows) for one in found if one.accuracy is not None]
    return Evaluation(weighted_loss(found), sum(known) if len(known) == len(found) else None, rows)


def _bounded(one: Evaluation) -> Evaluation:
    loss = min(one.loss, WORST) if math.isfinite(one.loss) else WORST
    accuracy = one.accuracy if one.accuracy is not None and math.isfinite(one.accuracy) else None
    return Evaluation(loss, accuracy, one.samples)
