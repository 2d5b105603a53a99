"""What a node counts for Prometheus: trainings, how long they took, and what left the node."""

from collections.abc import Iterable
from time import perf_counter
from typing import Any

from temporalio import activity
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from domain.learning.events import Report
from workflows.names import TRAIN_ROUND


class TrainingMetrics(Interceptor):
    """Counts what trainings did: `learning_trainings`, `learning_seconds` and `learning_sent_bytes`."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002 # the SDK's name
        return _Counting(next)


class _Counting(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002 # the SDK's name
        if activity.info().activity_type != TRAIN_ROUND:
            return await super().execute_activity(input)
        began = perf_counter()
        result = await super().execute_activity(input)
        meter = activity.metric_meter()
        reports = list(reports_in(result))
        meter.create_histogram_float(
            "learning_seconds", "How long a host's share of a round took.", "s"
        ).record(perf_counter() - began)
        meter.create_counter("learning_trainings", "Clients that trained and reported.", "1").add(
            len(reports)
        )
        meter.create_counter("learning_sent_bytes", "Bytes of updates that left the node.", "By").add(
            sum(report.bytes for report in reports)
        )
        return result


def reports_in(result: Any) -> Iterable[Report]:
    """The reports that an activity gave back, alone, in a sequence, or in its field `reports`."""
    found = getattr(result, "reports", result)
    found = found if isinstance(found, (list, tuple)) else (found,)
    return (report for report in found if isinstance(report, Report))
