"""A node counts its trainings, how long they take, and what leaves it; and nothing else that it does."""

from dataclasses import dataclass, replace
from typing import Any

import pytest
from temporalio.testing import ActivityEnvironment

from domain.learning.events import Report
from workers.training_metrics import TrainingMetrics, reports_in
from workflows.names import TRAIN_ROUND

REPORT = Report("edge-1", "0" * 64, 1_000, 20, 5, 5, 0.7, 4_000, "none")


@dataclass
class Trained:
    reports: tuple[Report, ...]
    host: str = "edge-1"


class Meter:
    def __init__(self):
        self.made: dict[str, list[float]] = {}

    def with_additional_attributes(self, _: Any) -> "Meter":
        return self

    def _create(self, name: str, *_: Any) -> Any:
        made = self.made.setdefault(name, [])
        return type("Metric", (), {"add": staticmethod(made.append), "record": staticmethod(made.append)})

    create_counter = create_histogram_float = _create


async def counted(result, kind=TRAIN_ROUND):
    class Next:
        async def execute_activity(self, _):
            return result

    meter = Meter()
    environment = ActivityEnvironment()
    environment.info = replace(environment.info, activity_type=kind)
    environment.metric_meter = meter
    given = await environment.run(TrainingMetrics().intercept_activity(Next()).execute_activity, None)
    assert given is result
    return meter.made


async def test_what_a_round_trained_and_sent_is_counted():
    made = await counted(Trained((REPORT, replace(REPORT, client="edge-2", bytes=24))))
    assert made["learning_trainings"] == [2]
    assert made["learning_sent_bytes"] == [1_024]
    assert made["learning_seconds"][0] >= 0


async def test_other_activities_are_not():
    assert await counted((REPORT,), "answer_inquiry") == {}


@pytest.mark.parametrize("result", [REPORT, [REPORT], (REPORT, "late"), Trained((REPORT,))])
def test_reports_are_found_in_whatever_holds_them(result):
    assert list(reports_in(result)) == [REPORT]


def test_nothing_else_is_a_report():
    assert list(reports_in(None)) == []
