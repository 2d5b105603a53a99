"""The versions of a model, asked of the workflow that keeps them; the port `Models` over Temporal."""

from datetime import timedelta
from typing import Any

from temporalio.client import Client, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from activities.learning_ports import Version
from domain.learning.versions.commands import PublishVersion
from domain.refusal import Refusal
from domain.stream import check_id, model_stream
from domain.strict_json import printable
from workers import keepers
from workflows import names
from workflows.model_answers import KeepModelRequest, Serving, VersionRow, version_of

_ANSWER = timedelta(seconds=15)
Answer = Any


class TemporalModels:
    """Each model is kept by the workflow `model/<name>`, which its first publication starts."""

    def __init__(self, client: Client, task_queue: str = names.TASK_QUEUE) -> None:
        self._client = client
        self._queue = task_queue

    async def version(self, model: str, name: str | None = None) -> Version | None:
        """See `activities.learning_ports.Models`."""
        if name is None:
            serving = await self.serving(model)
            return serving.active if serving else None
        rows = await self.versions(model)
        for row in rows:
            if row.published.version == name:
                return version_of(row.published)
        known = ", ".join(row.published.version for row in rows[-5:]) or "none"
        raise Refusal("version", f"{model} has no {printable(name, 40)}; the newest are {known}")

    async def publish(self, model: str, command: PublishVersion) -> Version:
        """See `activities.learning_ports.Models`."""
        check_id(model, "model")
        keeper = keepers.Keeper(
            "model",
            model_stream(model),
            names.KEEP_MODEL,
            KeepModelRequest(model),
            f"the versions of {model}",
        )
        try:
            published: Version = await keepers.tell(
                self._client, self._queue, keeper, names.PUBLISH, command, answer=Version, within=_ANSWER
            )
        except WorkflowUpdateFailedError as error:
            raise _refused(error) from error
        return published

    async def versions(self, model: str) -> tuple[VersionRow, ...]:
        """Every version, oldest first; none of a model that has never been published."""
        found: tuple[VersionRow, ...] | None = await self._ask(model, "versions", tuple[VersionRow, ...])
        return found or ()

    async def serving(self, model: str) -> Serving | None:
        """Who serves; None of a model that has never been published."""
        found: Serving | None = await self._ask(model, "active", Serving)
        return found

    async def serving_on(self, model: str, node: str) -> Version | None:
        """Which version the node serves: the canary where it is in its share; None where none serves."""
        check_id(node, "NODE")
        found: Version | None = await self._ask(model, "serving_on", Version, node)
        return found

    async def tell(self, model: str, update: str, command: object, answer: Any = None) -> Answer:
        """Hand a command to the keeper.

        Raises:
            Refusal: it says no, or there is no such model.
        """
        check_id(model, "MODEL")
        handle = self._client.get_workflow_handle(model_stream(model))
        try:
            return await handle.execute_update(update, command, result_type=answer, rpc_timeout=_ANSWER)
        except WorkflowUpdateFailedError as error:
            raise _refused(error) from error
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                raise await self._why_nobody_keeps(model) from None
            raise

    async def _why_nobody_keeps(self, model: str) -> Refusal:
        if await self.serving(model) is None:  # a workflow that has ended still answers queries
            return Refusal("MODEL", f"{model} has no versions yet; a cycle publishes them")
        return keepers.ended("MODEL", model_stream(model))

    async def _ask(self, model: str, query: str, answer: Any, *given: str) -> Any:
        check_id(model, "model")
        handle = self._client.get_workflow_handle(model_stream(model))
        try:
            return await handle.query(query, args=given, result_type=answer, rpc_timeout=_ANSWER)
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return None
            raise


def _refused(error: WorkflowUpdateFailedError) -> Exception:
    """The keeper's own line; what is no refusal stays what it is, and is tried again."""
    cause = error.cause
    if not isinstance(cause, ApplicationError) or not cause.non_retryable:
        return error
    field, colon, problem = cause.message.partition(": ")
    return Refusal(field, problem) if colon else Refusal("", cause.message)
