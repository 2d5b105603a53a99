"""Dockets on a real server: decided in slices, refused in one line, gone on with after a worker's death."""

import asyncio
import json
from typing import Any

import pytest
from temporalio.client import WorkflowFailureError

from domain.consensus.docket_state import LEAST_SLICE
from domain.consensus.events import Decided, SliceDecided
from domain.refusal import Refusal
from tests.fakes.artifacts import MemoryArtifacts
from workers import orchestrator
from workflows.names import DECIDE_DOCKET, docket_stream

DEADLINE = 30.0


async def start(moot, request: dict[str, Any], **options):
    return await moot.client.start_workflow(
        DECIDE_DOCKET,
        request,
        id=options.pop("id", docket_stream(request["id"])),
        task_queue=moot.queue,
        **options,
    )


def rows(items: int, voters: int = 5):
    """Four of five agree on every item."""
    return [
        {"item": f"i{item}", "voter": f"v{voter}", "choice": "b" if voter == 0 else "a"}
        for item in range(items)
        for voter in range(voters)
    ]


async def test_every_item_of_an_inline_table_is_decided_on_its_own_stream(moot):
    request = {"id": moot.id("d"), "ballots": rows(7)}
    outcome = await asyncio.wait_for((await start(moot, request)).result(), DEADLINE)
    assert (outcome["items"], outcome["statuses"]) == (7, {"consensus": 7})
    for index in range(7):
        events = moot.log.stream(f"consensus/{request['id']}.{index}")
        assert events[-1].data.consensus == "a"
        assert [event.version for event in events] == list(range(1, len(events) + 1))


async def test_a_docket_started_under_another_id_is_handed_to_the_workflow_that_owns_its_stream(moot):
    request = {"id": moot.id("d"), "ballots": rows(1)}
    await asyncio.wait_for((await start(moot, request, id=moot.id("from-the-ui"))).result(), DEADLINE)
    again = await start(moot, request, id=moot.id("again"))
    with pytest.raises(WorkflowFailureError) as failure:
        await asyncio.wait_for(again.result(), DEADLINE)
    assert "choose another id" in str(failure.value.cause)
    assert len(moot.log.stream(f"consensus/{request['id']}.0")) == 8


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"ballots": []}, "table: give either"),
        ({"ballots": "a,b"}, "ballots: must be a list"),
        ({"ballots": [{"item": "i", "voter": "v", "choice": ""}]}, "choice"),
        ({"ballots": [{"item": "i", "voter": "v"}]}, "choice"),
        ({"id": "../d"}, "id"),
        ({"policy": {"otherwise": "person"}}, "policy.otherwise"),
        ({"policy": {"panel_size": 3}}, "policy.panel_size"),
        ({"policy": {"fault_model": "stake"}}, "policy.fault_model"),
        ({"policy": {"fault_model": "byzantine", "faults": 2}}, "7 are needed"),
        ({"table": {"uri": "nowhere", "sha256": "0" * 64, "bytes": 1}, "ballots": []}, "artifact"),
        ({"colour": "red"}, "colour"),
    ],
)
async def test_a_docket_that_cannot_be_decided_fails_at_once_in_one_line(moot, change, line):
    handle = await start(moot, {"id": moot.id("d"), "ballots": rows(2), **change}, id=moot.id("bad"))
    with pytest.raises(WorkflowFailureError) as failure:
        await asyncio.wait_for(handle.result(), DEADLINE)
    said = str(failure.value.cause)
    assert line in said
    assert "\n" not in said
    assert moot.log.appended == []


async def test_a_worker_that_goes_away_in_the_middle_loses_and_doubles_nothing(client, moot):
    items = 2 * LEAST_SLICE + 1
    table = "item,voter,choice\n" + "\n".join(",".join(row.values()) for row in rows(items, voters=2))
    artifacts = MemoryArtifacts()
    ref = await artifacts.put(table.encode())
    request = {"id": moot.id("d"), "table": {"uri": ref.uri, "sha256": ref.sha256, "bytes": ref.bytes}}
    queue = moot.id("queue")

    def worker():
        return orchestrator.worker(client, moot.log, artifacts, moot.model, task_queue=queue)

    handle = await client.start_workflow(
        DECIDE_DOCKET, request, id=docket_stream(request["id"]), task_queue=queue
    )
    async with worker(), asyncio.timeout(DEADLINE):
        while not (await handle.query("progress"))["decided"]:
            pass
    async with worker():
        outcome = await asyncio.wait_for(handle.result(), DEADLINE)
    assert outcome["items"] == items
    decided = [event for _, event in moot.log.appended if isinstance(event.data, Decided)]
    assert len({event.id for event in decided}) == len({event.stream for event in decided}) == items
    parts = [e.data for e in moot.log.stream(handle.id) if isinstance(e.data, SliceDecided)]
    assert sum(part.last - part.first for part in parts) == items
    results = json.loads(await artifacts.get(_ref(outcome["results"])))
    assert [line["item"] for line in results["items"]] == [f"i{n}" for n in range(items)]


async def test_results_are_refused_when_their_bytes_were_changed(moot):
    artifacts = MemoryArtifacts()
    ref = await artifacts.put(b"results")
    artifacts.damage(ref)
    with pytest.raises(Refusal, match="another SHA-256"):
        await artifacts.get(ref)


def _ref(found: dict[str, Any]):
    from domain.artifact import ArtifactRef

    return ArtifactRef(found["uri"], found["sha256"], found["bytes"])
