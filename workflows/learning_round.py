"""One attempt of one round: its cohort trains, what came in is recorded, and becomes a model or does not."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.learning_tasks import (
        AggregatedRound,
        AggregateRound,
        Course,
        HostClients,
        Outbox,
        ShardSum,
        TrainReports,
        TrainTask,
    )
    from domain.artifact import ArtifactRef
    from domain.event import Event
    from domain.learning import decide
    from domain.learning.events import CycleEvent, Loss, Report, RoundOpened
    from domain.learning.shards import shards
    from domain.learning.state import Cycle, fold_all
    from domain.refusal import ImpossibleEvent
    from domain.stream import Draft
    from workflows import learning_calls
    from workflows.learning_close import CLOSES, close
    from workflows.learning_hosts import TOGETHER, batches, hosts_of, message_rounds, only, train
    from workflows.learning_shard import Shard, TrainShard
    from workflows.recording import Recording


class Attempt:
    """Of the round that is open in `recording`."""

    def __init__(
        self, recording: Recording[Cycle], course: Course, sessions: tuple[ArtifactRef, ...]
    ) -> None:
        opened = recording.state.round
        if opened is None:
            raise ImpossibleEvent("round", "none is open")
        self.opened: RoundOpened = opened
        self._recording = recording
        self._course = course
        self._session, *_ = self._sessions = sessions
        self._hosts: tuple[HostClients, ...] = hosts_of(opened.cohort)
        self._revealed: tuple[tuple[Outbox, ...], ...] = ((),)
        self.reports: tuple[Report, ...] = ()
        self.lost: tuple[Loss, ...] = ()
        self._broken: str | None = None

    async def train(self) -> None:
        """Ask the cohort, and hear what came in of whom; of a large one it is recorded at once."""
        await (self._together() if len(self._sessions) == 1 else self._in_shards())
        if len(self.opened.cohort) > TOGETHER and (self.reports or self.lost):
            await self._recording.record(self.collected, f"round {self.opened.round}: what came in")

    async def close(self) -> None:
        """Have the secrets of the attempt forgotten, which must be on record: a repeat would need them."""
        if (self._course.before or self._course.after) and workflow.patched(CLOSES):
            for session, hosts in zip(self._sessions, self._by_session(), strict=True):
                await close(session, hosts)

    def shortage(self) -> str | None:
        """Why nothing can become of this attempt; None where something can."""
        return self._broken or decide.shortage(self._recording.state, len(self.reports))

    async def _together(self) -> None:
        _, hosts, lost = await message_rounds(self._course.before, self._session, self._hosts)
        told = await self._trained(hosts) if self._enough(hosts) else _given_up(hosts)
        self.reports = tuple(sorted(told.reports, key=lambda report: report.client))
        self.lost = (*lost, *told.lost)
        hosts = only(hosts, frozenset(report.client for report in self.reports))
        if self._course.after and self._enough(hosts):
            revealed, left, gone = await message_rounds(
                self._course.after, self._session, hosts, self.reports
            )
            self._revealed = (revealed,)
            if not left:  # what came in stands on the record; nobody is there to open its sum
                self._broken = next(iter(gone)).reason or "nobody was left to open the sum"

    async def _in_shards(self) -> None:
        """Each shard passes its own messages and has its own sum, in a history of its own."""
        task, parts = self._task(), zip(self._sessions, self._by_session(), strict=True)
        told = await self._children(Shard(replace(task, session=one), hosts) for one, hosts in parts)
        self._revealed = tuple(one.revealed for one in told)
        reports = (report for one in told for report in one.reports)
        self.reports = tuple(sorted(reports, key=lambda report: report.client))
        self.lost = tuple(loss for one in told for loss in one.lost)

    def _by_session(self) -> tuple[tuple[HostClients, ...], ...]:
        """Whom each of the sessions is about."""
        if len(self._sessions) == 1:
            return (self._hosts,)
        members = {member.client: member for member in self.opened.cohort}
        dealt = shards(tuple(members), self._recording.state.cycle.request.seed)
        return tuple(hosts_of(members[client] for client in one) for one in dealt)

    def collected(self, state: Cycle) -> list[CycleEvent]:
        """What came in, as far as it is not on the log yet."""
        return decide.collect(state, self.opened.round, self.opened.attempt, self.reports, self.lost)

    async def aggregate(self) -> AggregatedRound:
        """The next model, of what came in."""
        state, opening = self._recording.state, self._recording.state.cycle
        last = state.aggregated
        reports, kept = await learning_calls.passed_on(self.reports)
        task = AggregateRound(
            opening=opening,
            round=self.opened.round,
            attempt=self.opened.attempt,
            model=self.opened.model,
            state=None if last is None else last.state,
            session=self._session,
            reports=reports,
            kept=kept,
            revealed=self._revealed[0],
            last=self.opened.round >= opening.request.rounds,
            more=tuple(map(ShardSum, self._sessions[1:], self._revealed[1:])),
        )
        return await learning_calls.aggregate(task, len(self.reports))

    def ended(self, state: Cycle, draft: Draft, at: datetime, made: AggregatedRound) -> Sequence[Event]:
        """What came in, what became of it, and the round that follows: one append, each part folded first."""
        new, following = made.new, made.next
        number, tried = self.opened.round, self.opened.attempt
        events = draft.events(self.collected(state), at)
        state = fold_all(state, events)
        if new is None:
            return [*events, *draft.events(decide.abandon(state, number, tried, made.lost), at)]
        became = draft.events(decide.aggregated(state, number, tried, new), at)
        state = fold_all(state, became)
        opened = [] if following is None else decide.open_round(state, following.drawn)
        return [*events, *became, *draft.events(opened, at)]

    def _enough(self, hosts: Sequence[HostClients]) -> bool:
        minimum = self._recording.state.cycle.request.cohort.minimum
        return sum(len(one.clients) for one in hosts) >= minimum

    async def _trained(self, hosts: tuple[HostClients, ...]) -> TrainReports:
        task = self._task()
        if sum(len(one.clients) for one in hosts) <= TOGETHER:
            return await train(task, hosts)
        told = await self._children(Shard(task, batch) for batch in batches(hosts))
        reports = tuple(report for one in told for report in one.reports)
        return TrainReports(reports, tuple(loss for one in told for loss in one.lost))

    async def _children(self, parts: Iterable[Shard]) -> list[TrainReports]:
        place = f"{self.opened.round}.{self.opened.attempt}"
        return await asyncio.gather(
            *(
                workflow.execute_child_workflow(
                    TrainShard.run,
                    part,
                    id=f"{workflow.info().workflow_id}.{place}.{number}",
                    static_summary=f"round {place}, shard {number}",
                )
                for number, part in enumerate(parts, start=1)
            )
        )

    def _task(self) -> TrainTask:
        state, opening = self._recording.state, self._recording.state.cycle
        request, last = opening.request, state.aggregated
        return TrainTask(
            cycle=request.id,
            round=self.opened.round,
            attempt=self.opened.attempt,
            clients=(),
            trainer=request.trainer,
            code=opening.code,
            local=request.local,
            course=self._course,
            privacy=request.privacy,
            data=request.data.name,
            since=opening.since,
            until=opening.until,
            seed=request.seed,
            model=self.opened.model,
            state=None if last is None else last.state,
            session=self._session,
            attempts=state.attempts if self._course.client == "control" else (),
        )


def _given_up(hosts: Sequence[HostClients]) -> TrainReports:
    """Nobody is asked to train for a round that cannot have enough reports."""
    asked = (client for one in hosts for client in one.clients)
    return TrainReports((), tuple(Loss(client, "failed", "the round had too few left") for client in asked))
