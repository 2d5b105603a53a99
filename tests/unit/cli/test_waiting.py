"""What is said of a step that fails or lies there: whose it is, and until when it is tried."""

import pytest
from temporalio.api.enums.v1 import PendingActivityState
from temporalio.api.workflow.v1 import PendingActivityInfo
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionResponse

from cli.waiting import TOO_LONG, Waiting
from workflows import names

SCHEDULED = PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED
STARTED = PendingActivityState.PENDING_ACTIVITY_STATE_STARTED


def step(queue, state=STARTED, why="", expires=None):
    found = PendingActivityInfo(activity_id="7", state=state)
    found.activity_type.name = "train_round"
    found.activity_options.task_queue.name = queue
    found.last_failure.message = why
    if expires is not None:
        found.expiration_time.FromSeconds(expires)
    return found


def reason(one):
    """After it has been looked at for too long."""
    seen, looking = DescribeWorkflowExecutionResponse(pending_activities=[one]), Waiting(None)
    looking._reason(seen, 0.0)
    return looking._reason(seen, TOO_LONG)[1]


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (
            step(names.node_queue("edge-1"), SCHEDULED),
            "no worker took on train_round in 5 s; does the node edge-1 run?",
        ),
        (
            step(names.TASK_QUEUE, SCHEDULED),
            "no worker took on train_round in 5 s; does `moot worker orchestrator` run?",
        ),
        (step(names.node_queue("edge-1")), "train_round on edge-1 has not ended in 5 s"),
        (
            step(names.node_queue("edge-1"), why="disk", expires=43_200),
            "train_round on edge-1 failed, disk; it is tried again until 12:00:00 UTC at most",
        ),
        (step(names.TASK_QUEUE, why="disk"), "train_round failed, disk; it is tried again until it succeeds"),
    ],
)
def test_whose_step_it_is_and_until_when_it_is_tried_are_said(one, words):
    assert reason(one) == words
