"""A cancelled workflow ends its stream on the log, and leaves no event in the dark."""

import asyncio

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowFailureError, WorkflowUpdateFailedError
from temporalio.exceptions import CancelledError
from temporalio.service import RPCError

from cli.consensus_end import ended, ended_of
from domain.consensus.docket_state import LEAST_SLICE, NO_DOCKET, fold_docket_all
from domain.consensus.events import BallotSealed, Decided, DocketWithdrawn, Opened, RoundClosed, Withdrawn
from domain.consensus.state import NOT_OPENED, fold_all
from tests.fakes.event_log import HeldLog
from tests.fakes.read_model import MemoryReadModel
from tests.integration.workflows.conftest import DEADLINE, Moot
from workflows.names import DECIDE_DOCKET, docket_stream

EXTERNAL = [{"id": "x", "kind": "external"}, {"id": "y", "kind": "external"}]


async def cancelled(handle) -> None:
    with pytest.raises(WorkflowFailureError) as failed:
        await asyncio.wait_for(handle.result(), DEADLINE)
    assert isinstance(failed.value.cause, CancelledError)


async def has_seen(handle, kind: EventType) -> None:
    """Return when the workflow's worker was told of an event of that kind; TimeoutError at the deadline."""
    told = False
    async with asyncio.timeout(DEADLINE):
        while not told:
            events = (await handle.fetch_history()).events
            at = next((event.event_id for event in events if event.event_type == kind), len(events))
            done = EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED
            told = any(event.event_type == done for event in events[at:])


def kinds(events) -> list[type]:
    assert [event.version for event in events] == list(range(1, len(events) + 1))
    return [type(event.data) for event in events]


async def test_a_cancelled_deliberation_says_on_its_log_that_it_is_withdrawn(moot, proposal):
    handle = await moot.start({**proposal, "voters": EXTERNAL})
    await handle.execute_update("cast_ballot", {"voter": "x", "choice": "a"})
    await handle.cancel()
    await cancelled(handle)
    events = moot.stream(proposal["id"])
    assert kinds(events) == [Opened, BallotSealed, Withdrawn]
    assert fold_all(NOT_OPENED, events).withdrawn == Withdrawn("temporal", events[-1].data.reason, 0)
    state = await handle.query("state")
    assert (state["decided"], state["withdrawn"]["authority"], state["waits_for"]) == (
        None,
        "temporal",
        "settled",
    )
    assert "Withdrawn, nothing is decided" in (await handle.query("explain")).splitlines()[-1]
    shown = (await handle.describe()).typed_search_attributes
    assert {pair.key.name: pair.value for pair in shown}["FolkmootStatus"] == "withdrawn"
    with pytest.raises((RPCError, WorkflowUpdateFailedError)):
        await handle.execute_update("cast_ballot", {"voter": "y", "choice": "a"})


async def test_cancelling_while_an_append_is_under_way_writes_no_version_twice(client, proposal):
    log = HeldLog(f"consensus/{proposal['id']}")
    moot = Moot(client, log)
    async with moot.working():
        handle = await moot.start({**proposal, "voters": EXTERNAL})
        await asyncio.wait_for(log.reached.wait(), DEADLINE)
        await handle.cancel()
        await has_seen(handle, EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED)
        log.go.set()
        await cancelled(handle)
    assert kinds(log.stream(handle.id)) == [Opened, Withdrawn]
    assert len({event.id for _, event in log.appended}) == 2


async def test_a_cancel_that_comes_after_the_decision_was_written_leaves_it(client, proposal):
    log = HeldLog(f"consensus/{proposal['id']}")
    moot = Moot(client, log)
    async with moot.working():
        handle = await moot.start(proposal)
        await asyncio.wait_for(log.reached.wait(), DEADLINE)
        await handle.cancel()
        await has_seen(handle, EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED)
        log.go.set()
        outcome = await asyncio.wait_for(handle.result(), DEADLINE)
    assert outcome["consensus"] == "a"
    assert kinds(log.stream(handle.id))[-1] is Decided


async def test_what_was_never_opened_leaves_nothing_on_the_log(client, proposal):
    reached, never = asyncio.Event(), asyncio.Event()

    class Silent(MemoryReadModel):
        async def standings(self, *_wanted):
            reached.set()
            await never.wait()

    moot = Moot(client, model=Silent())
    async with moot.working():
        handle = await moot.start({**proposal, "policy": {"weighting": "reputation"}})
        await asyncio.wait_for(reached.wait(), DEADLINE)
        await handle.cancel()
        await cancelled(handle)
        never.set()
    assert moot.log.appended == []


async def test_a_cancelled_mediation_is_no_mediator_that_failed(client, proposal):
    reached, never = asyncio.Event(), asyncio.Event()

    class Silent:
        name = "silent"

        async def verdict(self, _question):
            reached.set()
            await never.wait()

    moot = Moot(client, mediator=Silent())
    async with moot.working():
        handle = await moot.start({**proposal, "policy": {"threshold": 1, "otherwise": "mediate"}})
        await asyncio.wait_for(reached.wait(), DEADLINE)
        await handle.cancel()
        await cancelled(handle)
        never.set()
    assert kinds(moot.stream(proposal["id"]))[-2:] == [RoundClosed, Withdrawn]


async def test_cancelling_the_run_that_only_handed_over_withdraws_the_deliberation(moot, proposal):
    handle = await moot.start({**proposal, "voters": EXTERNAL}, id=moot.id("ui"))
    inner = moot.client.get_workflow_handle(f"consensus/{proposal['id']}")
    await has_seen(handle, EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED)
    await moot.until(inner, waits_for="ballots", round=1)
    await handle.cancel()
    await cancelled(inner)
    assert kinds(moot.stream(proposal["id"])) == [Opened, Withdrawn]


async def test_a_cancelled_docket_is_withdrawn_with_every_item_decided_or_untouched(client):
    docket = f"d-{id(client)}"
    log = HeldLog("consensus/")
    moot = Moot(client, log)
    items = 3 * LEAST_SLICE
    rows = [{"item": f"i{n}", "voter": v, "choice": "a"} for n in range(items) for v in "xy"]
    async with moot.working():
        handle = await client.start_workflow(
            DECIDE_DOCKET,
            {"id": docket, "ballots": rows},
            id=docket_stream(docket),
            task_queue=moot.queue,
        )
        await asyncio.wait_for(log.reached.wait(), DEADLINE)
        await handle.cancel()
        log.go.set()
        await cancelled(handle)
    own = log.stream(docket_stream(docket))
    state = fold_docket_all(NO_DOCKET, own)
    assert isinstance(own[-1].data, DocketWithdrawn)
    assert own[-1].data.decided == state.decided > 0
    streams = {event.stream for _, event in log.appended} - {docket_stream(docket)}
    assert len(streams) == state.decided
    assert all(kinds(log.stream(stream))[-1] is Decided for stream in streams)


async def test_of_workflows_that_ended_without_an_outcome_temporal_says_how(moot, proposal):
    begun = {}
    for name in ("runs", "terminated", "cancelled", "decided"):
        begun[name] = await moot.start({**proposal, "id": moot.id(name), "voters": EXTERNAL})
    await begun["terminated"].terminate()
    await begun["cancelled"].cancel()
    await cancelled(begun["cancelled"])
    for voter in "xy":
        await begun["decided"].execute_update("cast_ballot", {"voter": voter, "choice": "a"})
    await begun["decided"].result()
    assert {name: await ended(handle) for name, handle in begun.items()} == {
        "runs": None,
        "terminated": "terminated",
        "cancelled": "cancelled",
        "decided": None,
    }
    streams = [*(handle.id for handle in begun.values()), "consensus/' OR WorkflowId != '"]
    wanted = {begun[name].id: name for name in ("terminated", "cancelled")}
    found: dict[str, str] = {}
    async with asyncio.timeout(DEADLINE):  # Temporal's lists follow what happened
        while found != wanted:
            found = await ended_of(moot.client, streams)
    assert "' OR" not in str(found)
    await begun["runs"].terminate()
