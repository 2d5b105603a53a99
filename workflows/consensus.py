"""ReachConsensus: durable rounds around `domain.consensus`; it decides nothing itself."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any, assert_never

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from activities.mediation import Mediation, case_of
    from domain.consensus.commands import CastBallot, OpenDeliberation, Rule
    from domain.consensus.events import MediationGiven, RoundClosed
    from domain.consensus.outcome import ConsensusOutcome, outcome_of
    from domain.consensus.recorded import open_and_hold
    from domain.consensus.settle import conclude, give_mediation, next_step, rule, withdraw
    from domain.consensus.state import NOT_OPENED, Deliberation, fold_all
    from domain.refusal import Refusal
    from domain.stream import Draft
    from workflows import consensus_text, names
    from workflows.capacity import check_size
    from workflows.entrance import hand_over
    from workflows.recording import Recording
    from workflows.reputations import reputations
    from workflows.rounds import BallotReceipt, Rounds

WAITING = {
    "ballots": "balloting",
    "mediate": "mediating",
    "person": "awaiting_person",
    "conclude": "concluding",
}


@workflow.defn(name=names.REACH_CONSENSUS)
class ReachConsensus:
    """A question put to a panel, in rounds, until it is decided or said to be unresolved."""

    def __init__(self) -> None:
        info = workflow.info()
        draft = Draft("", names.SOURCE, info.workflow_id, info.run_id)
        self._recording = Recording("decisions", draft, NOT_OPENED, fold_all)
        self._rounds: Rounds | None = None

    @property
    def _state(self) -> Deliberation:
        return self._recording.state

    @workflow.run
    async def run(self, request: OpenDeliberation) -> ConsensusOutcome:
        """Takes one JSON object: id, question, options, voters; the rest has defaults."""
        stream = names.consensus_stream(request.id)
        if workflow.info().workflow_id != stream:
            return await hand_over(ReachConsensus.run, request, stream)
        check_size(request)
        self._recording = self._recording.renamed(stream, request.region)
        self._rounds = Rounds(request.voters, self._recording)
        try:
            await self._deliberate(request, self._rounds)
        except (asyncio.CancelledError, ActivityError) as error:
            if not is_cancelled_exception(error):
                raise
            await self._withdraw()
            if self._state.decided is None:
                raise
        outcome = outcome_of(self._state)
        self._show(outcome.status)
        await workflow.wait_condition(workflow.all_handlers_finished)
        return outcome

    async def _deliberate(self, request: OpenDeliberation, rounds: Rounds) -> None:
        known, read = await reputations(request)
        await self._recording.open(
            lambda draft, at: open_and_hold(request, known, read, draft, at), f"open consensus/{request.id}"
        )
        while (step := next_step(self._state)) != "settled":
            self._show(WAITING[step])
            match step:
                case "ballots":
                    await rounds.hold()
                case "mediate":
                    await self._mediate()
                case "person":
                    await self._await_ruling()
                case "conclude":
                    await self._conclude()
                case _:
                    assert_never(step)

    async def _withdraw(self) -> None:
        """End a cancelled deliberation on its own log: withdrawn, or with what was decided already."""
        reason = workflow.cancellation_reason() or ""
        await self._recording.record(lambda state: withdraw(state, reason, workflow.now()), "withdraw")
        if self._state.withdrawn is not None:
            self._show("withdrawn")
            await workflow.wait_condition(workflow.all_handlers_finished)

    @workflow.update(name=names.CAST_BALLOT, description="Hand in a ballot of the open round, under seal")
    async def cast_ballot(self, ballot: CastBallot) -> BallotReceipt:
        """Answers at once with a receipt; the outcome is the workflow's result."""
        await workflow.wait_condition(lambda: self._state.proposal is not None)
        if ballot.round is None:  # named now: it may wait while its round is closed, and belongs to that one
            ballot = replace(ballot, round=self._state.round)
        return await self._voting().cast(ballot)

    @cast_ballot.validator
    def _check_ballot(self, ballot: CastBallot) -> None:
        if self._state.proposal is None:
            return  # it waits for the opening and is checked then
        # Temporal hands a worker an update before the end of an activity that it knew first: the round may
        # have closed, and its voter may have seen the next one open, before this workflow hears of it.
        if self._recording.writing and ballot.round == self._state.round + 1:
            return  # it waits for what is being written, and is checked then
        self._voting().check(ballot)

    @workflow.update(name=names.RULE, description="Decide, as a person, what the panel could not")
    async def rule(self, ruling: Rule) -> str:
        """Answers with the id of the event that records the ruling."""
        (event,) = await self._recording.record(lambda state: rule(state, ruling), "a person rules")
        return event.id

    @rule.validator
    def _check_rule(self, ruling: Rule) -> None:
        rule(self._state, ruling)

    @workflow.query(name="state", description="Where the deliberation stands; no ballot under seal is shown")
    def state(self) -> dict[str, Any]:
        return consensus_text.summary(self._state, self._handed_in())

    @workflow.query(name="tally", description="The last closed round; refused while round 1 is sealed")
    def tally(self) -> RoundClosed:
        last = self._state.last_round
        if last is None:
            raise Refusal("tally", "round 1 is sealed: ask again when it has closed")
        return last

    @workflow.query(name="explain", description="How it came about, in words")
    def explain(self) -> str:
        return consensus_text.explanation(self._state, self._handed_in())

    async def _mediate(self) -> None:
        try:
            given = await workflow.execute_activity_method(
                Mediation.mediate,
                case_of(self._state),
                start_to_close_timeout=timedelta(minutes=5),
                retry_policy=RetryPolicy(maximum_attempts=3),
                summary="ask the mediator",
            )
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            given = MediationGiven("none", None, f"the mediator failed: {type(error.cause).__name__}")
        await self._recording.record(lambda state: give_mediation(state, given), f"hear {given.mediator}")

    async def _await_ruling(self) -> None:
        try:
            await workflow.wait_condition(
                lambda: self._state.ruling is not None,
                timeout=timedelta(seconds=self._state.policy.person_seconds),
                timeout_summary="a person may rule until now",
            )
        except TimeoutError:
            await self._conclude()

    async def _conclude(self) -> None:
        await self._recording.record(lambda state: conclude(state, workflow.now()), "state the outcome")

    def _voting(self) -> Rounds:
        if self._rounds is None:
            raise Refusal("id", "this run only handed its question over; vote on the workflow consensus/<id>")
        return self._rounds

    def _handed_in(self) -> frozenset[str]:
        return self._rounds.handed_in() if self._rounds else frozenset()

    def _show(self, status: str) -> None:
        """The live picture in Temporal's UI and lists."""
        workflow.set_current_details(consensus_text.table(self._state, status))
        region = self._state.proposal.region if self._state.proposal else None
        workflow.upsert_search_attributes(
            [
                names.KIND.value_set("consensus"),
                names.STATUS.value_set(status),
                *([names.REGION.value_set(region)] if region else []),
            ]
        )
