"""The control side of a cycle: what needs the roster, the store or the keeper of versions."""

import asyncio
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
from temporalio import activity

from activities import messages, stored_updates
from activities.aggregating import Making, Part, aggregate
from activities.drawing import Drawing
from activities.learning_ports import (
    LargeArtifacts,
    Models,
    Roster,
    Trainers,
)
from activities.learning_tasks import (
    AggregatedRound,
    AggregateRound,
    CloseAttempt,
    Course,
    DrawnRound,
    DrawRound,
    KeepReports,
    PrepareCycle,
    Prepared,
    Publish,
    Route,
    Routed,
    ShardSum,
)
from activities.preparing import opening_of
from activities.privacy.port import RoundLost
from activities.privacy.registry import Methods
from domain.artifact import ArtifactRef
from domain.learning.attempt import NewModel
from domain.learning.combinations import settings_of
from domain.learning.events import Loss, Report
from domain.learning.strategies.registry import named
from domain.learning.versions.commands import PublishVersion
from domain.learning.versions.lineage import LineageDigests
from domain.learning.versions.policy import EvaluateOn
from domain.refusal import Refusal


@dataclass(frozen=True, slots=True)
class Control:
    """What the aggregator works with."""

    artifacts: LargeArtifacts
    trainers: Trainers
    methods: Methods
    roster: Roster
    models: Models


class Learning:
    """Runs as activities of the orchestrator. Everything is safe to repeat, and gives the same digests."""

    def __init__(self, control: Control) -> None:
        self._own = control
        self._drawing = Drawing(control.artifacts, control.roster, control.methods)

    @activity.defn(name="prepare_cycle")
    async def prepare_cycle(self, task: PrepareCycle) -> Prepared:
        """Look at everything that could be wrong with a request, before anything is written.

        Raises:
            Refusal: it cannot be run as it stands; the field, the numbers and the way out.
        """
        own = self._own
        method = own.methods.method(task.request.privacy)
        opening = await opening_of(task, own.artifacts, own.trainers, own.models)
        opening = await self._drawing.calibrated(opening)
        strategy = named(opening.request.strategy.name)
        settings = settings_of(opening.request, strategy)
        course = Course(
            tuple(method.before),
            tuple(method.after),
            method.individual,
            strategy.client,
            settings["mu"] if strategy.client == "proximal" else 0.0,
        )
        return Prepared(opening, course, await self._drawing.drawn(DrawRound(opening, 1, 1)))

    @activity.defn(name="draw_round")
    async def draw_round(self, task: DrawRound) -> DrawnRound:
        """Read the roster and draw an attempt's cohort from it.

        Raises:
            Refusal: the policy contradicts the fleet as it is now, or a budget forbids another round.
        """
        return await self._drawing.drawn(task)

    @activity.defn(name="route")
    async def route(self, task: Route) -> Routed:
        """Between two message rounds: what came out of one goes to whom it is for in the next.

        Raises:
            Refusal: the method cannot go on with those that are left.
        """
        artifacts = self._own.artifacts
        session = await messages.session_of(artifacts, task.session)
        given: Mapping[str, bytes]
        if task.reports:
            given = await stored_updates.hidden(artifacts, task.reports)
        else:
            outboxes = await messages.answers(artifacts, task.outboxes)
            still = sorted(client for host in task.hosts for client in host.clients)
            if not task.outboxes:
                outboxes = dict.fromkeys(still, b"")
            given = {client: outboxes[client] for client in still if client in outboxes}
        half = self._own.methods.aggregator(session.spec)
        try:
            passed = await asyncio.to_thread(half.route, task.step, session, given)
        except RoundLost as lost:
            return Routed((), str(lost))
        boxes = passed.inboxes
        kept = [{client: boxes[client] for client in host.clients if client in boxes} for host in task.hosts]
        dropped = tuple(Loss(client, "refused", why) for client, why in sorted(passed.dropped.items()))
        return Routed(tuple([await messages.keep(artifacts, one) for one in kept]), dropped=dropped)

    @activity.defn(name="keep_reports")
    async def keep_reports(self, task: KeepReports) -> ArtifactRef:
        """Put reports aside that are too many for one payload."""
        return await self._own.artifacts.put(msgspec.json.encode(task.reports))

    @activity.defn(name="aggregate_round")
    async def aggregate_round(self, task: AggregateRound) -> AggregatedRound:
        """Make the next model, look how good it is, and draw the round that follows.

        Raises:
            Refusal: the cycle cannot go on: an artifact is missing or was changed, a budget is spent, or no
                finite model comes of the updates.
        """
        own, opening = self._own, task.opening
        reports: list[Report] = [*task.reports]
        for ref in task.kept:
            reports += msgspec.json.decode(await own.artifacts.get(ref), type=list[Report])
        strategy, trainer = (
            named(opening.request.strategy.name),
            own.trainers.named(opening.request.trainer.name),
        )
        shards = [
            Part(
                await messages.session_of(own.artifacts, one.session),
                await messages.answers(own.artifacts, one.revealed),
            )
            for one in (ShardSum(task.session, task.revealed), *task.more)
        ]
        making = Making(own, task, reports, strategy, trainer, tuple(shards))
        try:
            if task.last:
                return AggregatedRound(await aggregate(making))
            new, following = await self._made_and_drawn(making)
        except RoundLost as lost:
            return AggregatedRound(None, str(lost))
        return AggregatedRound(new, next=following)

    async def _made_and_drawn(self, making: Making) -> tuple[NewModel, DrawnRound | None]:
        """At once where drawing charges nobody, makes no key and needs nothing of the new model."""
        method = self._own.methods.of(making.session.spec)
        if method.accountant is not None or method.aggregator is not None:
            new = await aggregate(making)
            return new, await self._following(making.task, new.privacy.clip)
        made, drawn = await asyncio.gather(
            aggregate(making), self._following(making.task, None), return_exceptions=True
        )
        if isinstance(made, BaseException):
            raise made
        if isinstance(drawn, BaseException):
            raise drawn
        return made, drawn

    async def _following(self, task: AggregateRound, clip: float | None) -> DrawnRound | None:
        try:
            return await self._drawing.drawn(DrawRound(task.opening, task.round + 1, 1, clip))
        except Refusal:
            return None  # the workflow asks again, for as long as a round may take

    @activity.defn(name="close_attempt")
    async def close_attempt(self, task: CloseAttempt) -> None:
        """Forget what was kept for an attempt whose end is recorded; it cannot be summed again."""
        session = await messages.session_of(self._own.artifacts, task.session)
        await self._own.methods.aggregator(session.spec).close(session.salt)

    @activity.defn(name="publish_model")
    async def publish_model(self, task: Publish) -> str:
        """Hand the last model to the keeper of versions; the version's name."""
        request, policy = task.opening.request, task.opening.request.publish
        last = task.figures[-1]
        lineage = await self._own.artifacts.put(msgspec.json.encode(task))
        published = await self._own.models.publish(
            request.model,
            PublishVersion(
                cycle=request.id,
                artifact=task.model,
                digest=task.digest,
                parent=task.opening.parent,
                participants=task.participants,
                lineage=lineage,
                loss=last.loss,
                accuracy=last.accuracy,
                canary=policy.canary,
                tolerance=policy.tolerance,
                seed=request.seed,
                digests=LineageDigests(
                    cohort=task.cohort,
                    updates=task.lineage,
                    policy=hashlib.sha256(msgspec.json.encode(request, order="sorted")).hexdigest(),
                    code=task.opening.code,
                    data_schema=task.opening.data_schema,
                ),
                evaluation=EvaluateOn(request.trainer, request.data),
            ),
        )
        return published.name
