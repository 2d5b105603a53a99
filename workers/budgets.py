"""The privacy ledgers, as the port of `activities` puts it: workflows that a first charge starts."""

from datetime import timedelta

from temporalio.client import Client, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from domain.learning.budget.commands import Charge, Charged
from domain.refusal import Refusal
from workers import keepers
from workflows import names
from workflows.budget import CHARGES_IN_A_RUN, KeepLedger
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
        keeper = keepers.Keeper(
            "ledger",
            names.budget_stream(charge.ledger),
            names.KEEP_BUDGET,
            KeepLedger(charge.ledger, charges=self._charges),
            f"the privacy ledger {charge.ledger}",
        )
        try:
            charged: Charged = await keepers.tell(
                self._client, self._queue, keeper, names.CHARGE, charge, answer=Charged, within=ANSWER
            )
        except WorkflowUpdateFailedError as error:
            cause = error.cause
            if isinstance(cause, ApplicationError) and cause.type == REFUSED:
                raise Refusal("", cause.message) from None
            raise
        return charged
