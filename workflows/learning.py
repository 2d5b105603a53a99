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
    from activities.learning_tasks import AggregatedRound, Course, DrawnRound
    from domain.artifact import ArtifactRef
    from domain.event import Event
    from domain.learning import decide
    from domain.learning.commands import RunCycle
    from domain.learning.outcome import CycleOutcome
    from domain.learning.state import NO_CYCLE, Cycle, fold_all
    from domain.refusal import Refusal
    from domain.stream import Draft
    from workflows import learning_calls, learning_text, names
    from workflows.entrance import hand_over
    from workflows.learning_carry import HISTORY, Carried, CycleInput, carrying, packed, taken_up
    from workflows.learning_round import Attempt
    from workflows.recording import Recording

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
        self._sessions: tuple[ArtifactRef, ...] = ()
        self._attempt: Attempt | None = None
        self._history = HISTORY

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
        stream, request, self._history = names.learning_stream(given.id), given.request, given.history
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
        return learning_text.summary(self._state, self._status, self._heard)

    @workflow.query(name="explain", description="How it came about, in words")
    def explain(self) -> str:
        return learning_text.explanation(self._state, self._status)

    @property
    def _heard(self) -> tuple[int, int]:
        """How many reported, and were lost, of the attempt under way; on the log when it ends."""
        return (0, 0) if self._attempt is None else (len(self._attempt.reports), len(self._attempt.lost))

    async def _run(self, request: RunCycle, stream: str, carried: Carried | None) -> None:
        if carried is None:
            self._recording = self._recording.renamed(stream)
            await self._open(request)
        else:
            self._recording = taken_up(stream, carried)
            self._course, self._sessions = carried.course, carried.sessions
        self._show("training")
        while not self._state.ended and self._state.next_round <= self._state.cycle.request.rounds:
            await self._round()
        if not self._state.ended:
            await self._publish()
        self._show("closed" if self._state.closed is not None else "failed")

    async def _open(self, request: RunCycle) -> None:
        prepared = await learning_calls.prepare(request)
        self._course, self._sessions = prepared.course, prepared.first.sessions

        def write(draft: Draft, at: datetime) -> Sequence[Event]:
            opened = draft.events(decide.open_cycle(NO_CYCLE, prepared.opening), at)
            state = fold_all(NO_CYCLE, opened)
            return [*opened, *draft.events(decide.open_round(state, prepared.first.drawn), at)]

        await self._recording.open(write, f"open {names.learning_stream(request.id)}")

    async def _round(self) -> None:
        if self._state.round is None:
            drawn = await self._draw()
            self._sessions = drawn.sessions
            await self._recording.record(
                lambda state: decide.open_round(state, drawn.drawn), f"open round {self._state.next_round}"
            )
        self._hand_on()
        self._attempt = attempt = self._begun()
        await attempt.train()
        short = attempt.shortage()
        made = AggregatedRound(None, short) if short is not None else await attempt.aggregate()
        await self._recording.record_drafted(
            lambda state, draft, at: attempt.ended(state, draft, at, made),
            f"round {attempt.opened.round} {'was abandoned' if made.new is None else 'became a model'}",
        )
        self._attempt = None
        self._sessions = () if made.next is None else made.next.sessions
        self._show("training")
        await attempt.close()

    async def _draw(self) -> DrawnRound:
        """A cohort; a fleet that is too small now is looked at again, for as long as a round may take."""
        until = workflow.now() + timedelta(seconds=self._state.cycle.request.local.seconds)
        while True:
            try:
                return await learning_calls.draw(self._state)
            except ActivityError as error:
                if not learning_calls.is_small(error) or workflow.now() + LOOK_AGAIN >= until:
                    raise
            self._show("waiting for the fleet")
            await workflow.sleep(LOOK_AGAIN, summary="look at the fleet again")

    async def _publish(self) -> None:
        version = await learning_calls.publish(self._state)
        await self._recording.record(lambda now: decide.close(now, version), f"close, as {version}")

    def _hand_on(self) -> None:
        """Between two rounds, when this run has grown long: the next one goes on with the same stream."""
        info = workflow.info()
        if info.get_current_history_length() > self._history or info.is_continue_as_new_suggested():
            if self._course is None:
                raise AssertionError("it is known how rounds go")
            carried = packed(self._state, self._course, self._sessions)
            workflow.continue_as_new(carrying(self._state.cycle.request, carried, self._history))

    def _begun(self) -> Attempt:
        if self._course is None or not self._sessions:
            raise AssertionError("a round that is open has its session")
        return Attempt(self._recording, self._course, self._sessions)

    async def _withdraw(self) -> None:
        """End a cancelled cycle on its own log."""
        reason = workflow.cancellation_reason() or ""
        if self._state.opened is not None:
            await self._recording.record(lambda state: decide.withdraw(state, reason), "withdraw the cycle")
            await self._forget()
            self._show("withdrawn" if self._state.withdrawn is not None else "closed")

    async def _fail(self, error: ActivityError | ChildWorkflowError | asyncio.CancelledError) -> None:
        cause = error.cause if isinstance(error, ActivityError | ChildWorkflowError) else None
        reason = cause.message if isinstance(cause, ApplicationError) else str(cause)
        if self._state.opened is not None:
            await self._recording.record(lambda state: decide.fail(state, reason), "the cycle fails")
            await self._forget()
            self._show("failed")

    async def _forget(self) -> None:
        """Of an attempt that was under way when the cycle ended, too, nobody needs the keys any more."""
        if self._attempt is not None:
            await self._attempt.close()

    def _show(self, status: str) -> None:
        """The live picture in Temporal's UI and lists."""
        workflow.set_current_details(learning_text.table(self._state, status))
        if status != self._status:
            self._status = status
            workflow.upsert_search_attributes(
                [names.KIND.value_set("learning"), names.STATUS.value_set(status)]
            )
