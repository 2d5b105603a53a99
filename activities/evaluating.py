"""A canary is tried: who is asked, and, on a node, how good two versions are on the rows that stay there."""

import asyncio
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from temporalio import activity

from activities.learning_ports import LocalData, Roster, Trainers
from activities.ports import ArtifactStore
from domain.artifact import ArtifactRef
from domain.learning.fleet import Candidate
from domain.learning.policy import TrainerSpec
from domain.learning.tensors import SECTIONS, Tensors, check_tensors
from domain.learning.trainer import Evaluation, Trainer
from domain.learning.versions.policy import WORST, EvaluateOn, HostEvaluation, drawn, weighted_loss
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
    """Draws who evaluates, from the injected roster; without one there is nobody."""

    def __init__(self, roster: Roster | None = None) -> None:
        self._roster = roster

    @activity.defn(name="canary_panel")
    async def canary_panel(self, wanted: PanelWanted) -> tuple[PanelHost, ...]:
        """The hosts that serve the canary, as far as they can evaluate it."""
        return panel(wanted, await self._roster.candidates()) if self._roster else ()


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
    """On a node: `data` by client. Rows are read here and go nowhere; two means and a count leave."""

    def __init__(self, trainers: Trainers, data: Mapping[str, LocalData], artifacts: ArtifactStore) -> None:
        self._trainers = trainers
        self._data = data
        self._artifacts = artifacts

    @activity.defn(name="evaluate_version")
    async def evaluate_version(self, task: EvaluateVersion) -> HostEvaluation:
        """How good both versions are here; a canary that holds NaN or an infinity is the worst.

        Raises:
            Refusal: the trainer, a model or the rows are not here, or do not fit each other.
        """
        trainer = self._trainers.named(task.trainer.name)
        canary = tensors_of(await self._artifacts.get(task.canary))
        former = tensors_of(await self._artifacts.get(task.former))
        schema = trainer.schema(task.trainer.settings)
        check_tensors(schema, former, "former model")
        burst = not all(np.isfinite(each).all() for each in canary.values())
        if not burst:
            check_tensors(schema, canary, "canary")
        found = await asyncio.to_thread(self._evaluate, trainer, task, None if burst else canary, former)
        if not found:
            raise Refusal("data", f"no client here has rows of '{task.data}' in that time")
        ours, theirs = [one for one, _ in found], [other for _, other in found]
        return HostEvaluation(task.host, together(ours), together(theirs))

    def _evaluate(
        self, trainer: Trainer, task: EvaluateVersion, canary: Tensors | None, former: Tensors
    ) -> list[tuple[Evaluation, Evaluation]]:
        found = []
        for client in task.clients:
            if client not in self._data:
                continue  # it has moved to another host since the roster was read
            rows = self._data[client].rows(task.data, task.since, task.until)
            if all(len(each) for each in rows.values()):
                settings = task.trainer.settings
                theirs = _bounded(trainer.evaluate(former, rows, settings))
                burst = Evaluation(WORST, None, theirs.samples)
                ours = burst if canary is None else _bounded(trainer.evaluate(canary, rows, settings))
                found.append((ours, theirs))
        return found


def together(found: Sequence[Evaluation]) -> Evaluation:
    """The means over the rows of all; no accuracy where one has none."""
    rows = sum(one.samples for one in found)
    known = [one.accuracy * (one.samples / rows) for one in found if one.accuracy is not None]
    return Evaluation(weighted_loss(found), sum(known) if len(known) == len(found) else None, rows)


def tensors_of(content: bytes) -> Tensors:
    """The tensors in a safetensors file, by name; a section before the name, as updates have it, is left off.

    Raises:
        Refusal: it is no such file, or safetensors is not installed.
    """
    try:
        from safetensors import SafetensorError
        from safetensors.numpy import load
    except ImportError:
        raise Refusal(
            "safetensors", "is not installed, and reads models: install folkmoot[learning]"
        ) from None
    try:
        read: dict[str, np.ndarray] = load(content)
    except SafetensorError as error:
        raise Refusal("model", f"is no safetensors file: {error}") from None
    return {_bare(name): array for name, array in read.items()}


def _bare(name: str) -> str:
    section, _, rest = name.partition("/")
    return rest if section in SECTIONS else name


def _bounded(one: Evaluation) -> Evaluation:
    loss = min(one.loss, WORST) if math.isfinite(one.loss) else WORST
    accuracy = one.accuracy if one.accuracy is not None and math.isfinite(one.accuracy) else None
    return Evaluation(loss, accuracy, one.samples)
