"""The control side of a cycle: what needs the roster, the store or the keeper of versions."""

import asyncio
from dataclasses import dataclass, replace
from datetime import timedelta

import msgspec
from temporalio import activity

from activities import messages, tensor_file
from activities.aggregating import Making, aggregate
from activities.learning_ports import (
    LargeArtifacts,
    Models,
    Publication,
    Roster,
    Trainers,
    Version,
)
from activities.learning_tasks import (
    AggregatedRound,
    AggregateRound,
    Course,
    DrawnRound,
    DrawRound,
    KeepReports,
    PrepareCycle,
    Prepared,
    Publish,
    Route,
    Routed,
)
from activities.privacy.port import RoundLost, Session
from activities.privacy.registry import Methods
from domain.artifact import ArtifactRef
from domain.learning.combinations import check_combination, settings_of
from domain.learning.commands import RunCycle
from domain.learning.data_schema import data_schema
from domain.learning.decide import Drawn
from domain.learning.events import CycleOpened, Report
from domain.learning.fleet import Candidate
from domain.learning.seeds import seed_of
from domain.learning.selection import cohort_size, draw, eligible, is_poisson, subject_of
from domain.learning.strategies.clustered import together
from domain.learning.strategies.registry import named
from domain.learning.strategy import Strategy
from domain.learning.tensors import Tensors, check_tensors
from domain.learning.trainer import Trainer
from domain.learning.wire import model_schema, sent_schema
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

    @activity.defn(name="prepare_cycle")
    async def prepare_cycle(self, task: PrepareCycle) -> Prepared:
        """Look at everything that could be wrong with a request, before anything is written.

        Raises:
            Refusal: it cannot be run as it stands; the field, the numbers and the way out.
        """
        request, own = task.request, self._own
        trainer, strategy = own.trainers.named(request.trainer.name), named(request.strategy.name)
        method = own.methods.method(request.privacy)
        check_combination(request, trainer)
        schema = trainer.schema(request.trainer.settings)
        await self._check_holdout(request, trainer)
        version = await own.models.version(request.model, request.parent)
        model = await self._first_model(request, trainer, strategy, version)
        since = task.at - timedelta(days=request.data.days)
        opening = CycleOpened(
            request=request,
            since=since,
            until=task.at,
            schema=schema,
            model=model,
            parent=None if version is None else version.name,
            code=own.trainers.code(request.trainer.name),
            data_schema=await self._data_schema(request),
        )
        opening = self._calibrated(opening, await self._eligible(opening))
        settings = settings_of(request, strategy)
        course = Course(
            tuple(method.before),
            tuple(method.after),
            method.individual,
            strategy.client,
            settings["mu"] if strategy.client == "proximal" else 0.0,
        )
        return Prepared(opening, course, await self._drawn(DrawRound(opening, 1, 1)))

    @activity.defn(name="draw_round")
    async def draw_round(self, task: DrawRound) -> DrawnRound:
        """Read the roster and draw an attempt's cohort from it.

        Raises:
            Refusal: the policy contradicts the fleet as it is now, or a budget forbids another round.
        """
        return await self._drawn(task)

    @activity.defn(name="route")
    async def route(self, task: Route) -> Routed:
        """Between two message rounds: what came out of one goes to whom it is for in the next.

        Raises:
            Refusal: the method cannot go on with those that are left.
        """
        session = await messages.session_of(self._own.artifacts, task.session)
        outboxes = await messages.read(self._own.artifacts, task.outboxes)
        still = {client: b"" for host in task.hosts for client in host.clients}
        given = {client: outboxes.get(client, b"") for client in sorted(still)}
        half = self._own.methods.aggregator(session.spec)
        inboxes = await asyncio.to_thread(half.route, task.step, session, given)
        kept = [
            {client: inboxes[client] for client in host.clients if client in inboxes} for host in task.hosts
        ]
        return Routed(tuple([await messages.keep(self._own.artifacts, one) for one in kept]))

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
        session = await messages.session_of(own.artifacts, task.session)
        revealed = await messages.read(own.artifacts, task.revealed)
        try:
            new = await aggregate(Making(own, task, reports, strategy, trainer, session, revealed))
        except RoundLost as lost:
            return AggregatedRound(None, str(lost))
        if task.last:
            return AggregatedRound(new)
        try:
            following = await self._drawn(DrawRound(opening, task.round + 1, 1, new.privacy.clip))
        except Refusal:
            following = None  # the workflow asks again, for as long as a round may take
        return AggregatedRound(new, next=following)

    @activity.defn(name="publish_model")
    async def publish_model(self, task: Publish) -> str:
        """Hand the last model to the keeper of versions; the version's name."""
        request, policy = task.opening.request, task.opening.request.publish
        last = task.figures[-1]
        lineage = await self._own.artifacts.put(msgspec.json.encode(task))
        published = await self._own.models.publish(
            Publication(
                model=request.model,
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
            )
        )
        return published.name

    async def _eligible(self, opening: CycleOpened) -> tuple[Candidate, ...]:
        candidates = await self._own.roster.candidates()
        return eligible(candidates, opening.request, opening.since, opening.until)

    async def _drawn(self, task: DrawRound) -> DrawnRound:
        opening, request = task.opening, task.opening.request
        candidates = await self._own.roster.candidates()
        able = eligible(candidates, request, opening.since, opening.until)
        cohort = draw(
            able, request.cohort, request.seed, task.round, task.attempt, poisson=is_poisson(request.privacy)
        )
        roster = await self._own.artifacts.put(msgspec.json.encode(candidates))
        asked = {member.client for member in cohort}
        clients = [one.client for one in able if one.client.id in asked]
        spec = request.privacy if task.clip is None else replace(request.privacy, clip=task.clip)
        strategy = named(request.strategy.name)
        session = Session(
            cycle=request.id,
            round=task.round,
            attempt=task.attempt,
            rounds=request.rounds,
            cohort=tuple(sorted(asked)),
            eligible=len(able),
            identities={client.id: client.identity for client in clients if client.identity is not None},
            spec=spec,
            schema=sent_schema(opening.schema, strategy.client),
            subjects={client.id: subject_of(client) for client in clients},
        )
        accountant = self._own.methods.of(spec).accountant
        if accountant is not None:
            await accountant.admit(session)
        kept = await messages.keep_session(self._own.artifacts, session)
        return DrawnRound(Drawn(roster, len(able), cohort), kept)

    def _calibrated(self, opening: CycleOpened, able: tuple[Candidate, ...]) -> CycleOpened:
        request = opening.request
        size = cohort_size(len(able), request.cohort)
        calibrate = self._own.methods.of(request.privacy).calibrate
        if calibrate is None:
            return opening
        spec = calibrate(request.privacy, request.rounds, size, len(able))
        return replace(opening, request=replace(request, privacy=spec))

    async def _first_model(
        self, request: RunCycle, trainer: Trainer, strategy: Strategy, version: Version | None
    ) -> ArtifactRef:
        if version is None:
            if request.parent is not None:
                raise Refusal("parent", f"the model {request.model} has no version yet; leave it out")
            fresh = _fresh(request, trainer, strategy)
            return await self._own.artifacts.put(tensor_file.encode(fresh))
        content = await self._own.artifacts.mapped(version.model)
        model, _ = await asyncio.to_thread(tensor_file.decode, content, "parent")
        schema = trainer.schema(request.trainer.settings)
        check_tensors(model_schema(schema, strategy.client, model), model, f"parent {version.name}")
        return version.model

    async def _check_holdout(self, request: RunCycle, trainer: Trainer) -> None:
        """Evaluate a fresh model once, so that rows which the trainer cannot read are refused now."""
        if request.holdout is None:
            return
        rows, _ = tensor_file.decode(
            await self._own.artifacts.mapped(request.holdout), "holdout", tensor_file.ROWS
        )
        fresh = trainer.initial(request.trainer.settings, request.seed)
        try:
            await asyncio.to_thread(trainer.evaluate, fresh, rows, request.trainer.settings)
        except Refusal as refusal:
            raise Refusal("holdout", str(refusal)) from None

    async def _data_schema(self, request: RunCycle) -> str:
        """Of the holdout, whose arrays are those of the rows; nothing is known of others here."""
        if request.holdout is None:
            return ""
        content = await self._own.artifacts.mapped(request.holdout)
        return data_schema(tensor_file.decode(content, "holdout", tensor_file.ROWS)[0])


def _fresh(request: RunCycle, trainer: Trainer, strategy: Strategy) -> Tensors:
    """A model that has learned nothing; where clients are clustered, one for each group."""
    settings = request.trainer.settings
    if strategy.client != "clustered":
        return trainer.initial(settings, request.seed)
    count = int(settings_of(request, strategy)["models"])
    seeds = (seed_of(request.seed, "group", group) for group in range(count))
    return together([trainer.initial(settings, seed) for seed in seeds])
