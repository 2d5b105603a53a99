"""Days and weeks of a case in milliseconds: windows, reminders, deadlines and what follows."""

import shutil
import sysconfig

import pytest
from temporalio.client import WorkflowFailureError
from temporalio.testing import WorkflowEnvironment

from domain.reasoning.verdict import Verdict
from tests.integration.workflows.cases import Court, case, member
from tests.integration.workflows.conftest import Moot
from workers import search_attributes
from workflows.payloads import CONVERTER

CROWD = [member(number) for number in range(45)]
DAY = 86_400


@pytest.fixture
async def environment():
    server = shutil.which("temporal-test-server", path=sysconfig.get_path("scripts"))
    environment = await WorkflowEnvironment.start_time_skipping(
        test_server_existing_path=server, data_converter=CONVERTER
    )
    async with environment:
        await search_attributes.add(environment.client, search_attributes.wanted())
        yield environment


@pytest.fixture
async def skipping(environment):
    moot = Moot(environment.client)
    async with moot.working():
        yield moot


def waited(court: Court) -> float:
    events = court.events()
    return (events[-1].time - events[0].time).total_seconds()


async def test_a_ruling_stands_when_its_window_is_over(skipping):
    court = await Court.of(
        skipping, case(skipping.id("case"), CROWD, policy={"regional_appeal_seconds": DAY})
    )
    result = await court.handle.result()
    assert result["level_used"] == 2
    assert DAY <= waited(court) < DAY + 60


async def test_a_person_is_reminded_ever_more_seldom_and_the_case_ends_as_its_policy_says(skipping):
    policy = {"person_seconds": 7 * DAY, "reminder_seconds": DAY, "after_deadline": "unresolved"}
    court = await Court.of(skipping, case(skipping.id("case"), CROWD, critical=True, policy=policy))
    line = await court.failed()
    assert line == (
        "Conflict resolution failed at all levels: level 4: no verdict: no person ruled by the deadline"
    )
    reminders = [event.data.number for event in court.events() if event.type == "conflict.reminded.v1"]
    assert reminders == [1, 2, 3]
    assert 7 * DAY <= waited(court) < 7 * DAY + 60


async def test_after_the_deadline_the_court_s_own_ruling_is_upheld_where_the_policy_says_so(skipping):
    policy = {"person_seconds": 7 * DAY, "after_deadline": "uphold"}
    court = await Court.of(skipping, case(skipping.id("case"), CROWD, critical=True, policy=policy))
    result = await court.handle.result()
    assert (result["choice"], result["authority"], result["level_used"]) == ("p1", "consensus", 4)
    assert "no person ruled by the deadline; the ruling of level 4 is upheld" in result["reasons"][-1]


async def test_a_case_that_is_held_waits_on_past_its_deadline_for_its_person(skipping, environment):
    policy = {"person_seconds": 2 * DAY, "reminder_seconds": 10 * DAY, "after_deadline": "hold"}
    court = await Court.of(skipping, case(skipping.id("case"), CROWD, critical=True, policy=policy))
    await court.until(status="person")
    await environment.sleep(3 * DAY)
    assert "deadline_passed" in court.said()
    assert (await court.handle.query("state"))["status"] == "person"
    await court.tell("verdict", verdict="p2", reason="I counted them", person="Pat")
    result = await court.handle.result()
    assert (result["choice"], result["authority"], result["final_authority"]) == ("p2", "person", True)


async def test_the_mediator_s_opinion_decides_where_the_court_is_of_two_minds(skipping):
    class Sure:
        name = "sure"

        async def verdict(self, _question):
            return Verdict("p2", 0.9, "as I read it", ("e1",))

    split = [member(number, "p1" if number % 2 else "p2") for number in range(14)]
    skipping.mediator = Sure()
    skipping.queue += "-mediated"
    async with skipping.working():
        court = await Court.of(skipping, case(skipping.id("case"), split, level=4))
        result = await court.handle.result()
    assert (result["choice"], result["authority"], result["level_used"]) == ("p2", "mediator", 4)
    (opinion,) = [event.data for event in court.events() if event.type == "conflict.opinion_given.v1"]
    assert (opinion.mediator, opinion.citations) == ("sure", ("e1",))


async def test_a_panel_that_stays_silent_has_no_quorum_and_the_case_climbs(skipping):
    members = [{"id": f"x{n}", "kind": "external", "region": "eu"} for n in range(3)]
    court = await Court.of(skipping, case(skipping.id("case"), members))
    with pytest.raises(WorkflowFailureError) as failed:
        await court.handle.result()
    assert "level 2: no quorum: 0 of 3 members cast a ballot" in failed.value.cause.message
