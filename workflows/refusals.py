"""Turns what the user did wrong into one line at once, where Temporal would retry for ever."""

import inspect
from collections.abc import Callable
from typing import Any

from temporalio import activity
from temporalio.exceptions import ActivityError, ApplicationError, ChildWorkflowError, is_cancelled_exception
from temporalio.worker import (
    ActivityInboundInterceptor,
    ExecuteActivityInput,
    ExecuteWorkflowInput,
    HandleUpdateInput,
    Interceptor,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
)

from domain.refusal import Refusal
from workflows.payloads import failure


class Refusals(Interceptor):
    """Fails a workflow, rejects an update and ends an activity on a Refusal; everything else is retried.

    An ordinary exception in a workflow stays what Temporal makes of it: its task is retried, so that a fault
    of ours pauses the decision until it is mended, and loses nothing.
    """

    def workflow_interceptor_class(
        self,
        input: WorkflowInterceptorClassInput,  # noqa: A002, ARG002 # the SDK's names
    ) -> type[WorkflowInboundInterceptor]:
        return _Workflows

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002 # the SDK's name
        return _Activities(next)


class _Workflows(WorkflowInboundInterceptor):
    async def execute_workflow(self, input: ExecuteWorkflowInput) -> Any:  # noqa: A002 # the SDK's name
        try:
            _bind(input.run_fn, (None, *input.args))
            return await super().execute_workflow(input)
        except Refusal as refusal:
            raise failure(refusal) from None
        except (ActivityError, ChildWorkflowError) as error:
            if is_cancelled_exception(error):
                raise  # as it is: Temporal tells a cancelled workflow from a failed one by its cause
            raise said(error) from error

    def handle_update_validator(self, input: HandleUpdateInput) -> None:  # noqa: A002 # the SDK's name
        try:
            _one(input)
            super().handle_update_validator(input)
        except Refusal as refusal:
            raise failure(refusal) from None

    async def handle_update_handler(self, input: HandleUpdateInput) -> Any:  # noqa: A002 # the SDK's name
        try:
            return await super().handle_update_handler(input)
        except Refusal as refusal:
            raise failure(refusal) from None
        except ActivityError as error:
            raise said(error) from error


class _Activities(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002 # the SDK's name
        try:
            return await super().execute_activity(input)
        except Refusal as refusal:
            activity.logger.info("activity.refused", extra={"field": refusal.field})
            raise failure(refusal) from None


def said(error: ActivityError | ChildWorkflowError) -> BaseException:
    """What a failed activity or child says to the user: its own line, not that some part failed."""
    cause = error.cause
    if isinstance(cause, ApplicationError) and cause.non_retryable:
        return ApplicationError(cause.message, *cause.details, type=cause.type, non_retryable=True)
    return error


def _bind(function: Callable[..., Any], args: tuple[Any, ...]) -> None:
    try:
        inspect.signature(function).bind(*args)
    except TypeError as error:
        wanted = [name for name in inspect.signature(function).parameters if name != "self"]
        given = len(args) - (1 if "self" in inspect.signature(function).parameters else 0)
        raise Refusal(
            "input", f"{given} arguments given, {len(wanted)} wanted ({', '.join(wanted)}): {error}"
        ) from None


def _one(update: HandleUpdateInput) -> None:
    if len(update.args) != 1:
        raise Refusal("input", f"{update.update} takes one JSON object, {len(update.args)} were given")
