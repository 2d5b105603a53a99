"""How a resolved case reaches the shared context: one activity, tried until it is written or refused."""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError, is_cancelled_exception

from activities.ruling import Applied, Ruling
from domain.conflict.applied import Application, is_due
from domain.conflict.events import Resolved
from domain.conflict.state import CaseState

# As for the log: what is decided is written, however long a server is away.
_PATIENCE = RetryPolicy(initial_interval=timedelta(milliseconds=200), maximum_interval=timedelta(seconds=10))
_ATTEMPT = timedelta(seconds=60)


async def apply_ruling(state: CaseState) -> tuple[str | None, str | None]:
    """The id of the event that writes the ruling, or why there is none; neither without an entry.

    A refusal, of a write that is not on the log say, leaves the ruling as it is recorded and is told. So does
    a request to cancel: the case has its last word.
    """
    outcome, case = state.outcome, state.opened
    if not isinstance(outcome, Resolved) or state.closed_at is None or not is_due(case, outcome):
        return None, None
    try:
        applied: Applied = await workflow.execute_activity_method(
            Ruling.apply_ruling,
            Application(case, outcome, state.closed_at),
            start_to_close_timeout=_ATTEMPT,
            retry_policy=_PATIENCE,
            summary="write the ruling into the shared context",
        )
    except ActivityError as error:
        if is_cancelled_exception(error):
            return None, "cancelled while it was being written; `moot context get` tells whether it was"
        cause = error.cause
        return None, cause.message if isinstance(cause, ApplicationError) else str(cause or error)
    return applied.event, None
