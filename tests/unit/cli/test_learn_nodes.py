"""How far nodes are: what their heartbeats carry, which are anybody's words, and how it is told."""

import json
import time

import pytest
from temporalio.api.enums.v1 import PendingActivityState
from temporalio.api.workflow.v1 import PendingActivityInfo

from cli.learn_nodes import Training, in_words, said
from cli.learn_progress import Rounds
from workflows.names import node_queue

STARTED = PendingActivityState.PENDING_ACTIVITY_STATE_STARTED
SCHEDULED = PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED


def step(*details, host="edge-1", name="train_round", state=STARTED, begun=10):
    found = PendingActivityInfo(state=state)
    found.activity_options.task_queue.name = node_queue(host)
    found.last_started_time.FromSeconds(begun)
    found.last_heartbeat_time.FromSeconds(12)
    found.activity_type.name = name
    for one in details:
        found.heartbeat_details.payloads.add(data=json.dumps(one).encode())
    return found


def test_a_node_says_at_which_step_of_which_client_it_is():
    (found,) = said([step("ann", 40, 120, 3, 4)])
    assert found == Training("edge-1", "ann", 40, 120, 3, 4)
    assert found.share == pytest.approx((2 + 1 / 3) / 4)


@pytest.mark.parametrize(
    "details",
    [
        (),
        ("ann", 40, 120),
        ("ann", 40, 0, 1, 1),
        ("ann", 9, 8, 1, 1),
        ("ann", 1, 8, 2, 1),
        ("ann", 1, 8, 0, 1),
        (["ann"], 1, 8, 1, 1),
        ("ann", "1", 8, 1, 1),
    ],
)
def test_what_is_no_progress_is_not_told(details):
    assert list(said([step(*details)])) == []


def test_only_trainings_that_go_on_are_told():
    told = ("ann", 1, 8, 1, 1)
    others = [step(*told, name="exchange"), step(*told, state=SCHEDULED), step(*told, begun=13)]
    broken = step()
    broken.heartbeat_details.payloads.add(data=b"{")
    assert list(said([*others, broken])) == []


def test_the_one_that_is_least_far_stands_for_all():
    alone = Training("edge-1", "edge-1", 1_000, 2_000, 1, 1)
    assert in_words([alone]) == "edge-1 is at step 1,000 of 2,000"
    many = Training("sim", "sim-\x1b[31m", 4, 12, 7, 100)
    words = "sim is at step 4 of 12 of sim-\\x1b[31m, client 7 of 100; 1 node further on"
    assert in_words([many, alone]) == words
    assert in_words([]) == ""


def test_without_a_bar_it_is_a_line_every_few_seconds(capsys, monkeypatch):
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    with Rounds() as rounds:
        for done in range(1, 13):
            rounds.training([Training("edge-1", "edge-1", done, 12, 1, 1)])
            now[0] += 1.0
        rounds.training([])
    found = capsys.readouterr()
    assert (found.out, found.err.splitlines()) == (
        "",
        [f"edge-1 is at step {done} of 12" for done in (1, 6, 11)],
    )
