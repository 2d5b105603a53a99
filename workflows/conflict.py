"""ResolveConflict: a case on its way through the levels; it decides nothing that `domain.conflict` can."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, assert_never

from temporalio import workflow
from temporalio.exceptions import ActivityError, ChildWorkflowError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from domain.conflict import decide as steps
    from domain.conflict.advance import advance
    from domain.conflict.commands import Appeal, AskAnnulment, GiveVerdict, GrowCase, OpenCase
    from domain.conflict.decide import next_step
    from domain.conflict.events import ConflictEvent, Withdrawn
    from domain.conflict.fold import fold_all
    from domain.conflict.hearing import grow, open_case
    from domain.conflict.result import ConflictResult, result_of
    from domain.conflict.state import NO_CASE, CaseState
    from domain.conflict.withdrawal import withdraw
    from domain.consensus.commands import Voter
    from domain.event import Event
    from domain.stream import Draft
    from workflows import conflict_text, names
    from workflows.applying import apply_ruling
    from workflows.case_decisions import Decision, appealed, attacked, growing, nothing, ruled, woken
    from workflows.consensus_text import escaped
    from workflows.entrance import hand_over
    from workflows.hearings import Hearings, check_whole
    from workflows.recording import Recording
    from workflows.showing import measure, show


@workflow.defn(name=names.RESOLVE_CONFLICT)
class ResolveConflict:
    """A conflict between positions, level by level, until a ruling stands or no level settled it."""

    def __init__(self) -> None:
        info = workflow.info()
        draft = Draft("", names.SOURCE, info.workflow_id, info.run_id)
        self._recording = Recording("decisions", draft, NO_CASE, fold_all)
        self._members: Sequence[Voter] = ()
        self._elsewhere = False

    @property
    def _state(self) -> CaseState:
        return self._recording.state

    @workflow.run
    async def run(self, request: OpenCase) -> ConflictResult:
        """Takes one JSON object: id, regions, two positions; the rest has defaults."""
        stream = names.conflict_stream(request.id)
        if workflow.info().workflow_id != stream:
            self._elsewhere = True
            return await hand_over(ResolveConflict.run, request, stream)
        self._members = request.members
        self._recording = self._recording.renamed(stream, request.regions[0])
        try:
            await self._hear(request)
        except (asyncio.CancelledError, ActivityError, ChildWorkflowError) as error:
            if not is_cancelled_exception(error):
                raise
            await self._withdraw()
            if isinstance(self._state.outcome, Withdrawn | None):
                raise
        show(self._state)
        measure(self._state)
        applied, unapplied = await apply_ruling(self._state)
        if unapplied is not None:
            show(self._state, unapplied)
        await workflow.wait_condition(workflow.all_handlers_finished)
        return replace(result_of(self._state), applied=applied, unapplied=unapplied)

    async def _hear(self, request: OpenCase) -> None:
        hearings = Hearings(request, self._recording, self._record)
        await self._recording.open(
            lambda draft, at: advance(NO_CASE, open_case(request), request.members, draft, at),
            f"open conflict/{request.id}",
        )
        while not isinstance(step := next_step(self._state), steps.Closed):
            if workflow.cancellation_reason() is not None:
                raise asyncio.CancelledError  # it reached a panel that had its outcome, and ended there
            show(self._state)
            await self._take(step, hearings)

    async def _withdraw(self) -> None:
        """End a cancelled case on its own log: withdrawn, or by the ruling that can be attacked no more."""
        if self._state.case is None:
            return
        reason = workflow.cancellation_reason() or ""
        await self._record(lambda state: withdraw(state, reason, workflow.now()), "withdraw the case")
        if isinstance(self._state.outcome, Withdrawn):
            show(self._state)
            await workflow.wait_condition(workflow.all_handlers_finished)

    async def _take(self, step: steps.Step, hearings: Hearings) -> None:
        match step:
            case steps.ApplyRule():
                await hearings.apply_rule()
            case steps.HoldDeliberation(deliberation=deliberation):
                await hearings.hold_panel(deliberation)
            case steps.AskMediator():
                await hearings.ask_mediator()
            case steps.HearAnnulment(deliberation):
                await hearings.hold_annulment(deliberation)
            case steps.AwaitAppeal(until):
                await self._wait(until, nothing, "open to appeal until now")
            case steps.AwaitAnnulment(until):
                await self._wait(until, nothing, "open to annulment until now")
            case steps.AwaitPerson(until):
                await self._wait(until, woken, "a person is reminded, or the deadline is over")
            case steps.BeginLevel() | steps.Settle() | steps.Closed():
                raise AssertionError("whatever asks nobody was written with what it follows from")
            case _:
                assert_never(step)

    async def _wait(self, until: datetime, then: Decision, summary: str) -> None:
        """Until something happens to the case, or else `until`, and then take what time has brought."""
        held = self._state.event_ids
        left = until - workflow.now()
        try:
            await workflow.wait_condition(
                lambda: self._state.event_ids != held, timeout=left, timeout_summary=summary
            )
        except TimeoutError:
            await self._record(then, summary)

    @workflow.update(
        name=names.APPEAL, description="Take the ruling that stands to the next level, as a party"
    )
    async def appeal(self, command: Appeal) -> tuple[str, ...]:
        """Answers with the ids of the events that record it."""
        return await self._told(appealed(command), f"{command.party} appeals")

    @appeal.validator
    def _check_appeal(self, command: Appeal) -> None:
        self._check(appealed(command))

    @workflow.update(name=names.VERDICT, description="Decide, as a person, what the case waits for")
    async def verdict(self, command: GiveVerdict) -> tuple[str, ...]:
        """Answers with the ids of the events that record it; none for a verdict that was given before."""
        return await self._told(ruled(command), f"{escaped(command.person)} gives a verdict")

    @verdict.validator
    def _check_verdict(self, command: GiveVerdict) -> None:
        self._check(ruled(command))

    @workflow.update(name=names.ANNUL, description="Attack a ruling of level 4 on one of the five grounds")
    async def annul(self, command: AskAnnulment) -> tuple[str, ...]:
        """Answers with the ids of the events that record it; three new members then hear it."""
        return await self._told(attacked(command, self._members), f"{command.party} asks for annulment")

    @annul.validator
    def _check_annulment(self, command: AskAnnulment) -> None:
        self._check(attacked(command, self._members))

    @workflow.update(name=names.GROW, description="Add further positions; the next level to begin hears them")
    async def grow(self, command: GrowCase) -> tuple[str, ...]:
        """Answers with the ids of the events that record it."""
        return await self._told(lambda state: grow(state, command), "the case grows")

    @grow.validator
    def _check_growth(self, command: GrowCase) -> None:
        self._check(growing(command))

    @workflow.query(name="state", description="Where the case stands; no ballot under seal is shown")
    def state(self) -> dict[str, Any]:
        return conflict_text.summary(self._state)

    @workflow.query(name="explain", description="How it came about, in words")
    def explain(self) -> str:
        return conflict_text.explanation(self._state)

    async def _told(self, decision: Decision, summary: str) -> tuple[str, ...]:
        await workflow.wait_condition(lambda: self._state.phase != "none" or self._elsewhere)
        check_whole(self._state)
        decided: list[ConflictEvent] = []

        def deciding(state: CaseState) -> Sequence[ConflictEvent]:
            decided[:] = decision(state)
            return decided

        events = await self._record(deciding, summary)
        return tuple(event.id for event in events[: len(decided)])

    def _check(self, decision: Decision) -> None:
        # What is being written may be what the caller has seen on the log already: it waits, and is checked
        # then. So does what comes before the opening.
        if self._elsewhere:
            check_whole(self._state)
        if self._state.phase != "none" and not self._recording.writing:
            decision(self._state)

    async def _record(self, decision: Decision, summary: str) -> Sequence[Event]:
        """Append what was decided with all that follows from it."""
        return await self._recording.record_drafted(
            lambda state, draft, at: advance(state, decision(state), self._members, draft, at), summary
        )
