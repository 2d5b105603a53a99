"""Whatever is wrong with an input: the workflow fails at once with one line, and nothing is written."""

import asyncio
import json

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.client import WorkflowExecutionStatus, WorkflowFailureError
from temporalio.common import RawValue, WorkflowIDReusePolicy
from temporalio.exceptions import ApplicationError

from workflows.names import REACH_CONSENSUS, WORKFLOWS

SOON = 5.0
GOOD = {"id": "bad", "question": "Which?", "options": ["a", "b"], "voters": [{"id": "v"}], "policy": {}}
TEXTS = {
    "not json": b"{",
    "nothing": b"",
    "a list": b"[]",
    "a number": b"3",
    "null": b"null",
    "an empty object": b"{}",
    "two objects": b"{}{}",
    "NaN": b'{"policy": {"threshold": NaN}}',
    "deep": b"[" * 10_000 + b"]" * 10_000,
    "a key twice": b'{"id": "x", "id": "y"}',
    "not UTF-8": b'{"id": "\xff"}',
}
CHANGES = {
    "no options": {"options": []},
    "an option twice": {"options": ["a", "a"]},
    "threshold above 1": {"policy": {"threshold": 1.01}},
    "threshold as text": {"policy": {"threshold": "0.75"}},
    "an unknown field": {"colour": "red"},
    "an id with slashes": {"id": "../../etc"},
    "a NUL": {"id": "a\u0000b"},
    "a lone surrogate": {"question": "\ud800"},
    "1 MB": {"question": "q" * 1_000_000},
    "a panel too small for byzantine": {"policy": {"fault_model": "byzantine", "faults": 1}},
    "more seats than voters": {"policy": {"panel_size": 7}},
    "too many live ballots": {
        "voters": [{"id": f"v{n}", "kind": "external"} for n in range(200)],
        "policy": {"max_rounds": 20},
    },
    "no voters": {"voters": []},
    "a voter twice": {"voters": [{"id": "v"}, {"id": "v"}]},
    "a reasoner without a node": {"voters": [{"id": "v", "kind": "reasoner"}]},
}


def raw(data: bytes, encoding: bytes = b"json/plain") -> RawValue:
    return RawValue(Payload(metadata={"encoding": encoding}, data=data))


async def refusal(moot, *args, kind: str = REACH_CONSENSUS, stream: str | None = None) -> str:
    """The line with which the workflow failed; fails itself if it did not fail soon."""
    handle = await moot.client.start_workflow(
        kind, args=args, id=stream or moot.id("bad"), task_queue=moot.queue
    )
    with pytest.raises(WorkflowFailureError) as failed:
        await asyncio.wait_for(handle.result(), SOON)
    assert (await handle.describe()).status is WorkflowExecutionStatus.FAILED
    cause = failed.value.cause
    assert isinstance(cause, ApplicationError)
    assert cause.non_retryable
    assert "\n" not in cause.message
    assert len(cause.message) < 400
    return cause.message


@pytest.mark.parametrize("name", TEXTS)
async def test_what_is_no_proposal_fails_at_once(moot, name):
    assert await refusal(moot, raw(TEXTS[name]))
    assert moot.log.calls == 0


@pytest.mark.parametrize("name", CHANGES)
async def test_a_wrong_proposal_fails_at_once(moot, name):
    changed = {**GOOD, **CHANGES[name]}
    stream = f"consensus/{changed['id']}" if changed["id"] == "bad" else None
    assert await refusal(moot, raw(json.dumps(changed).encode()), stream=stream)
    assert moot.log.calls == 0


async def test_a_missing_and_a_further_argument_fail_at_once(moot):
    assert (await refusal(moot)).startswith("input: 0 arguments given, 1 wanted (request)")
    assert (await refusal(moot, GOOD, GOOD)).startswith("input: 2 arguments given, 1 wanted (request)")


async def test_no_value_and_bytes_fail_at_once(moot):
    assert await refusal(moot, None) == "input: must be a JSON object, not binary/null"
    assert await refusal(moot, b"{}") == "input: must be a JSON object, not binary/plain"


async def test_an_unknown_workflow_type_fails_at_once_and_names_the_known_ones(moot):
    line = await refusal(moot, GOOD, kind="ReachConsensu\x1b[31ms")
    assert line == (f"type: ReachConsensu\\x1b[31ms is not a workflow here; known are {', '.join(WORKFLOWS)}")


async def test_a_refusal_carries_no_stack_trace(moot):
    handle = await moot.client.start_workflow(REACH_CONSENSUS, {}, id=moot.id("bad"), task_queue=moot.queue)
    with pytest.raises(WorkflowFailureError):
        await handle.result()
    history = await handle.fetch_history()
    assert history.events[-1].workflow_execution_failed_event_attributes.failure.stack_trace == ""


async def test_a_second_start_under_another_workflow_id_is_refused(moot, proposal):
    await moot.decide(proposal)
    line = await refusal(moot, proposal, stream=moot.id("other"))
    assert line == f"id: consensus/{proposal['id']} is being or was decided already; choose another id"
    assert len({event.run_id for event in moot.stream(proposal["id"])}) == 1


async def test_a_closed_id_that_is_used_again_is_refused_by_the_read_model(moot, proposal):
    await moot.decide(proposal)
    written = moot.stream(proposal["id"])
    moot.model._streams = {written[0].stream: written[-1].id}
    handle = await moot.start(proposal, id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE)
    with pytest.raises(WorkflowFailureError) as failed:
        await asyncio.wait_for(handle.result(), SOON)
    assert str(failed.value.cause).endswith("is being or was decided already; choose another id")
    assert moot.stream(proposal["id"]) == written


async def test_the_handed_over_run_gives_the_outcome_and_takes_no_ballots(moot, proposal):
    outcome = await moot.decide(proposal, id=moot.id("ui"))
    assert outcome["consensus"] == "a"
    assert {event.workflow_id for event in moot.stream(proposal["id"])} == {f"consensus/{proposal['id']}"}
