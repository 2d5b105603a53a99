"""RunLearningCycle: durable rounds around `domain.learning`; it decides nothing itself."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from temporalio import workflow
from temporalio.exceptions import (
    ActivityError,
    ApplicationError,
    ChildWorkflowError,
    is_cancelled_exception,
)

with workflow.unsafe.imports_passed_through():
    from activities.learning import Learning
    from activities.learning_tasks import (
        AggregatedRound,
        Course,
        DrawnRound,
        DrawRound,
        PrepareCycle,
        Publish,
    )
    from domain.artifact import ArtifactRef
    from domain.event import Event
    from domain.learning import decide
    from domain.learning.commands import RunCycle
    from domain.learning.events import CycleOpened
    from domain.learning.outcome import CycleOutcome
    from domain.learning.state import NO_CYCLE, Cycle, fold_all
    from domain.refusal import Refusal
    from domain.stream import Draft
    from workflows import learning_text, names
    from workflows.entrance import hand_over
    from workflows.heartbeats import ALIVE
    from workflows.learning_carry import Carried, CycleInput, carrying, packed, unpacked
    from workflows.learning_hosts import PATIENCE
    from workflows.learning_round import Attempt
    from workflows.recording import Recording

HISTORY = 2_000
"""Events after which a run hands over to the next, between two rounds."""
LOOK_AGAIN = timedelta(seconds=10)
"""Between two looks at a fleet that is too small at the moment."""


@workflow.defn(name=names.RUN_LEARNING_CYCLE)
class RunLearningCycle:
    """A model trained by a fleet, round by round, until it is published."""

    def __init__(self) -> None:
        info = workflow.info()
        self._status = "preparing"
        self._recording = Recording(
            "learning", Draft("", names.SOURCE, info.workflow_id, info.run_id), NO_CYCLE, fold_all
        )
        self._course: Course | None = None
        self._session: ArtifactRef | None = None

    @property
    def _state(self) -> Cycle:
        return self._recording.state

    @workflow.run
    async def run(self, given: CycleInput) -> CycleOutcome:
        """Takes one JSON object: id, model, trainer; the rest has defaults."""
        info, carried = workflow.info(), given.carried
        if given.scheduled:
            named = f"{given.id}-{info.workflow_start_time:%Y%m%dT%H%M%S}"
            given = replace(given, id=named, scheduled=False)
        stream, request = names.learning_stream(given.id), given.request
        if info.workflow_id != stream:
            return await hand_over(RunLearningCycle.run, given, stream)
        if (carried is None) != (info.continued_run_id is None):
            raise Refusal("carried", "only a cycle itself hands this to its next run; leave it out")
        try:
            await self._run(request, stream, carried)
        except (asyncio.CancelledError, ActivityError, ChildWorkflowError) as error:
            if is_cancelled_exception(error):
                await self._withdraw()
            else:
                await self._fail(error)
            if self._state.closed is None:
                raise
        if self._state.failed is not None:
            raise Refusal("cycle", self._state.failed.reason)
        return decide.outcome_of(self._state)

    @workflow.query(name="state", description="Where the cycle stands, in numbers")
    def state(self) -> dict[str, Any]:
        return learning_text.summary(self._state, self._status)

    @workflow.query(name="explain", description="How it came about, in words")
    def explain(self) -> str:
        return learning_text.explanation(self._state, self._status)

    async def _run(self, request: RunCycle, stream: str, carried: Carried | None) -> None:
        if carried is None:
            self._recording = self._recording.renamed(stream)
            await self._open(request)
        else:
            self._resume(stream, carried)
        self._show("training")
        while not self._state.ended and self._state.next_round <= self._state.cycle.request.rounds:
            await self._round()
        if not self._state.ended:
            await self._publish()
        self._show("closed" if self._state.closed is not None else "failed")

    async def _open(self, request: RunCycle) -> None:
        prepared = await workflow.execute_activity_method(
            Learning.prepare_cycle,
            PrepareCycle(request, workflow.now()),
            start_to_close_timeout=timedelta(minutes=10),
            heartbeat_timeout=ALIVE,
            retry_policy=PATIENCE,
            summary="look at the request, the fleet and the model it goes on from",
        )
        self._course, self._session = prepared.course, prepared.first.session

        def write(draft: Draft, at: datetime) -> Sequence[Event]:
            opened = draft.events(decide.open_cycle(NO_CYCLE, prepared.opening), at)
            state = fold_all(NO_CYCLE, opened)
            return [*opened, *draft.events(decide.open_round(state, prepared.first.drawn), at)]

        await self._recording.open(write, f"open {names.learning_stream(request.id)}")

    def _resume(self, stream: str, carried: Carried) -> None:
        state, info = unpacked(carried), workflow.info()
        draft = Draft(
            stream,
            names.SOURCE,
            info.workflow_id,
            info.run_id,
            version=state.version,
            causation_id=state.last_event,
        )
        self._recording = Recording("learning", draft, state, fold_all)
        self._course, self._session = carried.course, carried.session

    async def _round(self) -> None:
        if self._state.round is None:
            drawn = await self._draw()
            self._session = drawn.session
            await self._recording.record(
                lambda state: decide.open_round(state, drawn.drawn), f"open round {self._state.next_round}"
            )
        self._hand_on()
        attempt = self._attempt()
        await attempt.train()
        short = decide.shortage(self._state)
        made = AggregatedRound(None, short) if short is not None else await attempt.aggregate()
        if made.new is None:
            lost = made.lost
            number, tried = attempt.opened.round, attempt.opened.attempt
            await self._recording.record(
                lambda state: decide.abandon(state, number, tried, lost), f"abandon round {number}"
            )
        else:
            await self._aggregated(attempt, made)
        self._show("training")

    async def _aggregated(self, attempt: Attempt, made: AggregatedRound) -> None:
        """The model, and the round that follows it, in one append."""
        number, tried, new, following = attempt.opened.round, attempt.opened.attempt, made.new, made.next

        def write(state: Cycle, draft: Draft, at: datetime) -> Sequence[Event]:
            if new is None:
                raise AssertionError("there is a model")
            events = draft.events(decide.aggregated(state, number, tried, new), at)
            if following is None:
                return events
            after = fold_all(state, events)
            return [*events, *draft.events(decide.open_round(after, following.drawn), at)]

        await self._recording.record_drafted(write, f"round {number} became a model")
        self._session = None if following is None else following.session

    async def _draw(self) -> DrawnRound:
        """A cohort; a fleet that is too small now is looked at again, for as long as a round may take."""
        last, opening = self._state.aggregated, self._opening
        asked = DrawRound(
            opening,
            self._state.next_round,
            self._state.next_attempt,
            None if last is None else last.privacy.clip,
        )
        until = workflow.now() + timedelta(seconds=opening.request.local.seconds)
        while True:
            try:
                return await workflow.execute_activity_method(
                    Learning.draw_round,
                    asked,
                    start_to_close_timeout=timedelta(minutes=5),
                    heartbeat_timeout=ALIVE,
                    retry_policy=PATIENCE,
                    summary=f"draw the cohort of round {asked.round}, attempt {asked.attempt}",
                )
            except ActivityError as error:
                refused = isinstance(error.cause, ApplicationError) and error.cause.non_retryable
                if not refused or workflow.now() + LOOK_AGAIN >= until:
                    raise
            self._show("waiting for the fleet")
            await workflow.sleep(LOOK_AGAIN, summary="look at the fleet again")

    async def _publish(self) -> None:
        state, last = self._state, self._state.aggregated
        if last is None:
            raise AssertionError("the rounds are done")
        version = await workflow.execute_activity_method(
            Learning.publish_model,
            Publish(
                self._opening,
                last.model,
                last.digest,
                len(state.participants),
                state.lineage,
                state.figures,
            ),
            start_to_close_timeout=timedelta(minutes=5),
            heartbeat_timeout=ALIVE,
            retry_policy=PATIENCE,
            summary=f"publish {self._opening.request.model}",
        )
        await self._recording.record(lambda now: decide.close(now, version), f"close, as {version}")

    def _hand_on(self) -> None:
        """Between two rounds, when this run has grown long: the next one goes on with the same stream."""
        info = workflow.info()
        if info.get_current_history_length() > HISTORY or info.is_continue_as_new_suggested():
            if self._course is None:
                raise AssertionError("it is known how rounds go")
            carried = packed(self._state, self._course, self._session)
            workflow.continue_as_new(carrying(self._opening.request, carried))

    def _attempt(self) -> Attempt:
        if self._course is None or self._session is None:
            raise AssertionError("a round that is open has its session")
        return Attempt(self._recording, self._course, self._session)

    @property
    def _opening(self) -> CycleOpened:
        return self._state.cycle

    async def _withdraw(self) -> None:
        """End a cancelled cycle on its own log."""
        reason = workflow.cancellation_reason() or ""
        if self._state.opened is not None:
            await self._recording.record(lambda state: decide.withdraw(state, reason), "withdraw the cycle")
            self._show("withdrawn" if self._state.withdrawn is not None else "closed")

    async def _fail(self, error: ActivityError | ChildWorkflowError | asyncio.CancelledError) -> None:
        cause = error.cause if isinstance(error, ActivityError | ChildWorkflowError) else None
        reason = cause.message if isinstance(cause, ApplicationError) else str(cause)
        if self._state.opened is not None:
            await self._recording.record(lambda state: decide.fail(state, reason), "the cycle fails")
            self._show("failed")

    def _show(self, status: str) -> None:
        """The live picture in Temporal's UI and lists."""
        workflow.set_current_details(learning_text.table(self._state, status))
        if status != self._status:
            self._status = status
            workflow.upsert_search_attributes(
                [names.KIND.value_set("learning"), names.STATUS.value_set(status)]
            )
