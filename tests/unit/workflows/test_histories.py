"""Deliberations that were begun long ago go on under today's code."""

import json
from pathlib import Path

import pytest
from temporalio.client import WorkflowHistory
from temporalio.workflow import NondeterminismError

from tests.fakes.changed_workflows import LooksAtTheClock, WaitsBeforeItsCase, WaitsBeforeItsCycle, WaitsFirst
from workers.replaying import replayer

HISTORIES = sorted((Path(__file__).parents[2] / "golden" / "histories").glob("*.json"))


def history(file: Path) -> WorkflowHistory:
    return WorkflowHistory.from_json(_workflow_id(file), file.read_text("utf-8"))


def test_there_are_histories():
    assert {file.stem for file in HISTORIES} >= {"one_recorded_round", "two_live_rounds", "refused"}


@pytest.mark.parametrize("file", HISTORIES, ids=lambda file: file.stem)
async def test_a_golden_history_replays(file):
    await replayer().replay_workflow(history(file))


@pytest.mark.parametrize("name", ["one_recorded_round", "two_live_rounds", "ruled_by_a_person"])
async def test_a_changed_workflow_is_found_by_the_replay(name):
    (file,) = [file for file in HISTORIES if file.stem == name]
    with pytest.raises(NondeterminismError):
        await replayer((WaitsFirst,)).replay_workflow(history(file))


@pytest.mark.parametrize("name", ["a_case_by_rule", "a_case_appealed", "a_critical_case", "a_failed_case"])
async def test_a_changed_case_is_found_by_the_replay(name):
    (file,) = [file for file in HISTORIES if file.stem == name]
    with pytest.raises(NondeterminismError):
        await replayer((WaitsBeforeItsCase,)).replay_workflow(history(file))


@pytest.mark.parametrize("name", ["a_cycle", "a_cycle_handed_on", "a_cycle_abandoned", "a_cycle_in_shards"])
async def test_a_changed_cycle_is_found_by_the_replay(name):
    (file,) = [file for file in HISTORIES if file.stem == name]
    with pytest.raises(NondeterminismError):
        await replayer((WaitsBeforeItsCycle,)).replay_workflow(history(file))


async def test_a_workflow_that_looks_at_the_clock_is_found_by_the_replay():
    (file,) = [file for file in HISTORIES if file.stem == "one_recorded_round"]
    with pytest.raises(RuntimeError, match="datetime"):
        await replayer((LooksAtTheClock,)).replay_workflow(history(file))


@pytest.mark.parametrize("file", HISTORIES, ids=lambda file: file.stem)
def test_a_golden_history_names_no_machine(file):
    assert '"identity": "golden"' in file.read_text("utf-8")
    assert "@" not in file.read_text("utf-8")


def _workflow_id(file: Path) -> str:
    first = json.loads(file.read_text("utf-8"))["events"][0]
    return first["workflowExecutionStartedEventAttributes"]["workflowId"]
