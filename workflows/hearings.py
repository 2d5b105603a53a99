"""What each level of a case asks of others: a node's rule, a panel's deliberation, the mediator's opinion."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import (
    ActivityError,
    ChildWorkflowError,
    TerminatedError,
    WorkflowAlreadyStartedError,
    is_cancelled_exception,
)
from temporalio.exceptions import TimeoutError as ActivityTimedOut

from activities.conflict import LocalRule, Opinions
from domain.conflict.annulment import fail_annulment, record_annulment
from domain.conflict.commands import OpenCase
from domain.conflict.deliberations import annulment_question, level_question, move
from domain.conflict.events import ConflictEvent, OpinionGiven, RuleApplied
from domain.conflict.hearing import record_failure, record_opinion, record_panel, record_rule
from domain.conflict.levels import RULE_OF_LAYER
from domain.conflict.local import Task
from domain.conflict.question import question_of
from domain.conflict.state import CaseState
from domain.consensus.commands import OpenDeliberation
from domain.consensus.outcome import ConsensusOutcome
from domain.event import Event
from domain.refusal import Refusal
from workflows import names
from workflows.consensus_text import escaped
from workflows.recording import Recording

RULE_WITHIN = timedelta(seconds=60)
"""A node that has not applied the rule by then has failed its level, and the case goes on to the next."""
_ONE_TRY = timedelta(seconds=10)
_OPINION_WITHIN = timedelta(minutes=5)
_THREE = RetryPolicy(maximum_attempts=3)


Record = Callable[[Callable[[CaseState], Sequence[ConflictEvent]], str], Awaitable[Sequence[Event]]]
"""Writes what is decided on the state of the case, and all that follows from it."""


Failing = Callable[[CaseState, str], Sequence[ConflictEvent]]


class Hearings:
    """Asks, and records what came of it; what fails is recorded as the failure of its level."""

    def __init__(self, request: OpenCase, recording: Recording[CaseState], record: Record) -> None:
        self._request = request
        self._recording = recording
        self._record = record

    async def apply_rule(self) -> None:
        """Level 1, on the queue of the case's node or on our own."""
        state, node = self._recording.state, self._request.node
        where = f"node {node}" if node else "the orchestrator"
        case = state.opened
        heard = state.sitting.heard if state.sitting else 0
        try:
            found: RuleApplied = await workflow.execute_activity_method(
                LocalRule.apply_rule,
                Task(RULE_OF_LAYER[case.layer], case, heard),
                task_queue=names.node_queue(node) if node else None,
                start_to_close_timeout=_ONE_TRY,
                schedule_to_close_timeout=RULE_WITHIN,
                retry_policy=_THREE,
                summary=f"apply {RULE_OF_LAYER[case.layer]} on {where}",
            )
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            why = f"{where} {_why(error)}"
            await self._record(lambda state: record_failure(state, why), "level 1 failed")
        else:
            await self._record(lambda state: record_rule(state, found), f"{escaped(found.rule)} was applied")

    async def hold_panel(self, deliberation: str) -> None:
        """Let the panel of the level decide, in a workflow of its own."""
        question = level_question(self._recording.state, self._request.members)
        try:
            outcome, why = await _held(question, deliberation)
        except WorkflowAlreadyStartedError:
            await self._move(record_failure, deliberation)
            return
        if outcome is None:
            await self._record(lambda state: record_failure(state, why), f"{deliberation} failed")
        else:
            heard = outcome
            await self._record(lambda state: record_panel(state, heard), f"hear {deliberation}")

    async def hold_annulment(self, deliberation: str) -> None:
        """Let the three decide whether the ground holds."""
        question = annulment_question(self._recording.state, self._request.members)
        try:
            outcome, why = await _held(question, deliberation)
        except WorkflowAlreadyStartedError:
            await self._move(fail_annulment, deliberation)
            return
        if outcome is None:
            await self._record(lambda state: fail_annulment(state, why), f"{deliberation} failed")
        else:
            heard = outcome
            await self._record(lambda state: record_annulment(state, heard), f"hear {deliberation}")

    async def _move(self, fail: Failing, deliberation: str) -> None:
        """Go on under an id that nobody could take before; whoever takes that one too fails the panel."""
        part = workflow.uuid4().hex[:12]
        why = f"{deliberation} was held before, for another question"
        await self._record(lambda state: move(state, part) or fail(state, why), f"{deliberation} was taken")

    async def ask_mediator(self) -> None:
        """The mediator's opinion, for the record of level 4; one that fails has none."""
        state = self._recording.state
        heard = state.sitting.heard if state.sitting else 0
        try:
            given: OpinionGiven = await workflow.execute_activity_method(
                Opinions.give_opinion,
                question_of(state.opened, heard),
                start_to_close_timeout=_OPINION_WITHIN,
                retry_policy=_THREE,
                summary="ask the mediator, twice",
            )
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            given = OpinionGiven("none", None, 0.0, f"no verdict: the mediator {_why(error)}")
        await self._record(lambda state: record_opinion(state, given), f"hear {escaped(given.mediator)}")


async def _held(question: OpenDeliberation, stream: str) -> tuple[ConsensusOutcome | None, str]:
    """What the deliberation came to; or none, and why.

    Raises:
        WorkflowAlreadyStartedError: somebody else began one under this id; what it comes to is not ours.
    """
    try:
        outcome: ConsensusOutcome = await workflow.execute_child_workflow(
            names.REACH_CONSENSUS,
            question,
            id=stream,
            result_type=ConsensusOutcome,
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
            static_summary=f"the panel of case {question.case}",
        )
    except ChildWorkflowError as error:
        if workflow.cancellation_reason() is not None:
            raise  # the case itself was cancelled, and its panel with it
        return None, f"{stream} {_why(error)}"
    return outcome, ""


def _why(error: ActivityError | ChildWorkflowError) -> str:
    cause = error.cause
    if isinstance(cause, ActivityTimedOut):
        return "gave no answer in time"
    if isinstance(cause, TerminatedError):
        return "was terminated"
    if is_cancelled_exception(error):
        return "was withdrawn"
    return f"failed: {cause}" if cause else f"failed: {error}"


def check_whole(state: CaseState) -> None:
    """Refuse what comes before the opening of the case is on the log.

    Raises:
        Refusal: nothing was opened here.
    """
    if state.phase == "none":
        raise Refusal("case", "this run only handed its case over; ask the workflow conflict/<id>")
