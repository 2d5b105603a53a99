"""What hosts answer, as what anybody could have sent: a lie costs the host's own clients alone."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypeVar

from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from activities.learning_tasks import TrainReports
    from domain.learning.events import Loss, Report
    from domain.learning.plausible import implausible
    from domain.learning.policy import PrivacySpec
    from domain.strict_json import printable

T = TypeVar("T")
MAX_WORDS = 200


class Unreadable(Exception):
    """A host answered what is no answer."""


async def answered(activity: str, task: Any, expected: type[T], **how: Any) -> T:
    """What an activity on a host returns.

    It is taken as it came and read here: read by the SDK, one bad answer fails the whole workflow.

    Raises:
        Unreadable: it is no `expected`.
        ActivityError: there is none.
    """
    raw: RawValue = await workflow.execute_activity(activity, task, result_type=RawValue, **how)
    try:
        read: T = workflow.payload_converter().from_payload(raw.payload, expected)
    except ApplicationError as error:
        raise Unreadable(printable(error.message, MAX_WORDS)) from None
    return read


def unread(why: Unreadable, clients: Sequence[str]) -> tuple[Loss, ...]:
    """What becomes of the clients of a host that said nothing that can be read."""
    reason = f"the host's answer is none: {why}"
    return tuple(Loss(client, "refused", reason) for client in clients)


def believed(told: TrainReports, clients: Sequence[str], privacy: PrivacySpec) -> TrainReports:
    """What a host says of the clients that it was asked for, once each; it is not believed more."""
    asked = set(clients)
    reports: list[Report] = []
    lost: list[Loss] = []
    for report in told.reports:
        if report.client in asked:
            asked.remove(report.client)
            if wrong := implausible(report, privacy):
                lost.append(Loss(report.client, "refused", f"its report is impossible: {wrong}"))
            else:
                reports.append(report)
    lost += losses(told.lost, asked)
    asked -= {loss.client for loss in lost}
    silent = (Loss(client, "failed", "the host said nothing of it") for client in sorted(asked))
    return TrainReports(tuple(reports), (*lost, *silent))


def losses(told: Sequence[Loss], asked: set[str]) -> tuple[Loss, ...]:
    """Those of clients that were asked, once each; their words short, and fit for a terminal."""
    first = {loss.client: loss for loss in reversed(told) if loss.client in asked}
    return tuple(replace(loss, reason=printable(loss.reason, MAX_WORDS)) for loss in reversed(first.values()))
