"""The privacy ledgers, as the port of `activities` puts it: workflows that a first charge starts."""

from datetime import timedelta

from temporalio.client import Client, WithStartWorkflowOperation, WorkflowUpdateFailedError
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError

from domain.learning.budget.commands import Charge, Charged
from domain.refusal import Refusal
from workers import keepers
from workflows import names
from workflows.budget import CHARGES_IN_A_RUN, KeepBudget, KeepLedger
from workflows.payloads import REFUSED

ANSWER = timedelta(minutes=2)


class TemporalBudgets:
    """Charges by update-with-start; `task_queue` is the orchestrators'.

    `charges`: after how many a ledger that is begun here goes on in a new run.
    """

    def __init__(
        self, client: Client, task_queue: str = names.TASK_QUEUE, *, charges: int = CHARGES_IN_A_RUN
    ) -> None:
        self._client = client
        self._queue = task_queue
        self._charges = charges

    async def charge(self, charge: Charge) -> Charged:
        """See `activities.learning_ports.Budgets`.

        Raises:
            Refusal: the ledger cannot take the charge, or its workflow was ended by somebody: a new one would
                know of nothing that was spent.
            temporalio.service.RPCError: Temporal does not answer; a repeat is safe.
        """
        stream = names.budget_stream(charge.ledger)
        start = WithStartWorkflowOperation(
            KeepBudget.run,
            KeepLedger(charge.ledger, charges=self._charges),
            id=stream,
            task_queue=self._queue,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
            static_summary=f"the privacy ledger {charge.ledger}",
        )
        try:
            charged: Charged = await self._client.execute_update_with_start_workflow(
                names.CHARGE,
                charge,
                start_workflow_operation=start,
                result_type=Charged,
                rpc_timeout=ANSWER,
            )
        except WorkflowUpdateFailedError as error:
            cause = error.cause
            if isinstance(cause, ApplicationError) and cause.type == REFUSED:
                raise Refusal("", cause.message) from None
            raise
        except WorkflowAlreadyStartedError:
            await keepers.not_begun(start)
            raise keepers.ended("ledger", stream) from None
        return charged
