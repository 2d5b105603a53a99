"""Answers for every workflow type that we do not have, so that a misspelt start ends instead of hanging."""

from collections.abc import Sequence

from temporalio import workflow
from temporalio.common import RawValue

with workflow.unsafe.imports_passed_through():
    from domain.refusal import Refusal
    from domain.strict_json import printable
    from workflows.names import WORKFLOWS


@workflow.defn(dynamic=True)
class UnknownWorkflow:
    """Fails at once and names the types that there are."""

    @workflow.run
    async def run(self, args: Sequence[RawValue]) -> None:
        del args  # whatever they are, nothing here reads them
        named = printable(workflow.info().workflow_type)
        raise Refusal(
            "type",
            f"{named} is not a workflow here; known are {', '.join(WORKFLOWS)}",
        )
