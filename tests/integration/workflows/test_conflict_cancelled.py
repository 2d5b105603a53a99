"""A cancelled case ends on its log, wherever it stands; one whose panel's id was taken goes on elsewhere."""

import asyncio
import contextlib

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowFailureError
from temporalio.exceptions import CancelledError
from temporalio.service import RPCError

from cli.consensus_end import ended, ended_of
from domain.conflict.events import Withdrawn
from domain.consensus.events import Decided
from tests.fakes.event_log import HeldLog, MemoryLog
from tests.integration.workflows.cases import LONG, Court, case, member
from tests.integration.workflows.conftest import DEADLINE, Moot
from tests.integration.workflows.test_cancelled import has_seen
from tests.unit.domain.context.given import wrote
from workflows.names import consensus_stream

CROWD = [member(number) for number in range(45)]
SILENT = [{"id": f"m{number}", "kind": "external", "region": "eu"} for number in range(18)]


async def cancelled(court: Court) -> None:
    with pytest.raises(WorkflowFailureError) as failed:
        await asyncio.wait_for(court.handle.result(), DEADLINE)
    assert isinstance(failed.value.cause, CancelledError)
    last = court.events()[-1]
    assert isinstance(last.data, Withdrawn)
    state = await court.handle.query("state")
    assert (state["status"], state["waits_for"]) == ("withdrawn", "settled")
    shown = (await court.handle.describe()).typed_search_attributes
    assert {pair.key.name: pair.value for pair in shown}["FolkmootStatus"] == "withdrawn"


async def test_a_case_that_is_cancelled_while_its_panel_deliberates_ends_both_streams(moot):
    court = await Court.of(moot, case(moot.id("case"), SILENT))
    state = await court.until(status="panel")
    panel = moot.client.get_workflow_handle(state["deliberation"])
    async with asyncio.timeout(DEADLINE):
        while True:
            with contextlib.suppress(RPCError):
                if (await panel.query("state"))["panel"]:
                    break
    await court.handle.cancel()
    await cancelled(court)
    assert court.said() == ["opened", "level_begun", "withdrawn"]
    assert moot.log.stream(state["deliberation"])[-1].type == "consensus.withdrawn.v1"


@pytest.mark.parametrize(
    ("changes", "phase"),
    [
        ({"policy": LONG}, "appealable"),
        ({"critical": True}, "person"),
        ({"level": 4, "policy": {"annulment_seconds": 600}}, "final"),
    ],
)
async def test_a_case_that_waits_is_withdrawn_and_takes_no_more(moot, changes, phase):
    court = await Court.of(moot, case(moot.id("case"), CROWD, **changes))
    await court.until(status=phase)
    await court.handle.cancel()
    await cancelled(court)
    assert court.events()[-1].data.level == (2 if phase == "appealable" else 4)
    assert "Withdrawn, nothing is decided" in (await court.handle.query("explain")).splitlines()[-1]


async def test_a_case_that_is_cancelled_while_its_rule_is_asked_for_is_withdrawn(moot):
    court = await Court.of(moot, case(moot.id("case"), severity=0.2, node=moot.id("away")))
    await court.until(level=1, waits_for="ApplyRule")
    await court.handle.cancel()
    await cancelled(court)


async def test_cancelling_while_the_opening_is_being_written_leaves_no_version_twice(client):
    request = case("held-" + Moot(client).id(), SILENT)
    log = HeldLog(f"conflict/{request['id']}")
    moot = Moot(client, log)
    async with moot.working():
        court = await Court.of(moot, request)
        await asyncio.wait_for(log.reached.wait(), DEADLINE)
        await court.handle.cancel()
        log.go.set()
        await cancelled(court)
    assert [event.version for event in court.events()] == [1, 2, 3]


async def test_a_cancel_that_its_panel_answers_with_an_outcome_ends_the_case_all_the_same(client):
    request = case("held-" + Moot(client).id(), CROWD, policy=LONG)
    log = HeldLog(f"consensus/{request['id']}", Decided)
    moot = Moot(client, log)
    async with moot.working():
        court = await Court.of(moot, request)
        await asyncio.wait_for(log.reached.wait(), DEADLINE)
        panel = client.get_workflow_handle(f"consensus/{request['id']}-level-2")
        await court.handle.cancel()
        await has_seen(panel, EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED)
        log.go.set()
        await cancelled(court)
    assert court.said() == ["opened", "level_begun", "panel_heard", "ruled", "withdrawn"]


async def test_a_case_that_was_terminated_is_told_from_one_that_runs(moot):
    court = await Court.of(moot, case(moot.id("case"), SILENT))
    await court.until(status="panel")
    await court.handle.terminate("by hand")
    async with asyncio.timeout(DEADLINE):
        while await ended(court.handle) is None:
            pass
        while court.handle.id not in (told := await ended_of(moot.client, [court.handle.id])):
            pass
    assert told == {court.handle.id: "terminated"}
    assert court.said() == ["opened", "level_begun"]


async def squat(moot, stream, request):
    """A stranger begins a deliberation of its own under the id of the panel's."""
    voters = [{"id": f"s{n}", "ballots": [{"choice": "p2"}]} for n in range(3)]
    asked = {"question": "Mine?", "options": ["p1", "p2"], "voters": voters, "case": request["id"]}
    return await moot.decide({"id": stream.removeprefix("consensus/"), **asked})


async def test_a_panel_whose_id_a_stranger_took_decides_under_another_and_hears_nothing_foreign(moot):
    request = case(moot.id("case"), CROWD)
    taken = consensus_stream(f"{request['id']}-level-2")
    assert (await squat(moot, taken, request))["consensus"] == "p2"
    court = await Court.of(moot, request)
    result = await court.handle.result()
    assert (result["choice"], result["level_used"], result["escalations"]) == ("p1", 2, 0)
    assert court.said() == ["opened", "level_begun", "deliberation_moved", "panel_heard", "ruled", "resolved"]
    moved, heard = court.events()[2].data, court.events()[3].data
    assert (moved.was, heard.deliberation) == (taken, moved.deliberation)
    assert moved.deliberation.startswith(f"{taken}-")
    assert not {score["voter"] for score in result["scores"]} & {"s0", "s1", "s2"}


async def test_the_three_of_an_annulment_go_elsewhere_too(moot):
    request = case(moot.id("case"), CROWD, level=4, policy={"annulment_seconds": 600})
    taken = consensus_stream(f"{request['id']}-annulment-1")
    await squat(moot, taken, request)
    court = await Court.of(moot, request)
    await court.until(status="final")
    await court.tell("annul", party="bob", ground="no_reasons", statement="it says nothing")
    await court.until(status="final", waits_for="AwaitAnnulment")
    async with asyncio.timeout(DEADLINE):
        while "annulment_decided" not in court.said():
            await court.handle.query("state")
    assert court.said()[-2:] == ["deliberation_moved", "annulment_decided"]
    assert court.events()[-1].data.event_id is not None
    await court.handle.terminate()


class Context:
    """The shared context as it is where a case's writes are known."""

    async def writes(self, region, layer, key, dots):
        return [wrote(f"{d.node}:{d.counter}", 9, key=key, layer=layer, region=region) for d in dots]


def about_an_entry(moot):
    request = case(moot.id("case"), CROWD, context={"layer": "situational", "key": "ward/beds"})
    for number, position in enumerate(request["positions"]):
        position["dot"] = {"node": f"eu-{number}", "counter": 1}
    return request


class Log(MemoryLog):
    """One that never takes a context's event, and says why."""

    def __init__(self, why: Exception) -> None:
        super().__init__()
        self.why, self.asked = why, asyncio.Event()

    async def append(self, topic, events):
        if topic.startswith("context."):
            self.asked.set()
            raise self.why
        await super().append(topic, events)


async def test_a_ruling_whose_region_has_no_topic_stands_and_says_that_it_is_not_applied(client):
    moot = Moot(client, Log(FileNotFoundError("topic context.eu is not there; `moot migrate` makes it")))
    async with moot.working(context=Context()):
        court = await Court.of(moot, about_an_entry(moot))
        result = await asyncio.wait_for(court.handle.result(), DEADLINE)
    assert (result["choice"], result["applied"]) == ("p1", None)
    assert result["unapplied"] == "regions: topic context.eu is not there; `moot migrate` makes it"


async def test_a_case_that_is_cancelled_while_its_ruling_is_being_written_keeps_its_outcome(client):
    moot = Moot(client, log := Log(TimeoutError("the log did not answer")))
    async with moot.working(context=Context()):
        court = await Court.of(moot, about_an_entry(moot))
        await asyncio.wait_for(log.asked.wait(), DEADLINE)
        await court.handle.cancel()
        result = await asyncio.wait_for(court.handle.result(), DEADLINE)
    assert (result["choice"], result["applied"]) == ("p1", None)
    assert result["unapplied"].startswith("cancelled while it was being written")
    assert court.said()[-1] == "resolved"
