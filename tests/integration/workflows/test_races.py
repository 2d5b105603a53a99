"""Ballots that come together, or with the end of their round: each counts once, or is refused."""

import asyncio

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowUpdateFailedError, WorkflowUpdateStage

from domain.consensus.events import BallotCast, BallotSealed
from tests.fakes.event_log import HeldLog
from tests.integration.workflows.conftest import DEADLINE, Moot
from tests.integration.workflows.test_cancelled import has_seen
from tests.integration.workflows.test_deliberation import cast, live


@pytest.fixture
async def held(client):
    """A system whose log answers no append of a sealed ballot until it is told to."""
    moot = Moot(client, HeldLog("consensus/", of=BallotSealed))
    async with moot.working():
        yield moot


async def accepted(handle, voter: str, choice: str):
    return await handle.start_update(
        "cast_ballot", {"voter": voter, "choice": choice}, wait_for_stage=WorkflowUpdateStage.ACCEPTED
    )


def revealed(moot, proposal) -> list[tuple[str, str | None]]:
    ballots = [event.data for event in moot.stream(proposal["id"]) if isinstance(event.data, BallotCast)]
    return [(ballot.voter, ballot.choice) for ballot in ballots]


async def test_a_ballot_that_is_being_sealed_when_its_round_ends_is_counted(held):
    policy = {"round_seconds": 1.5, "max_rounds": 1, "threshold": 0.5}
    handle = await held.start(proposal := live(held, "x", "y", policy=policy))
    ballot = await accepted(handle, "x", "a")
    await asyncio.wait_for(held.log.reached.wait(), DEADLINE)
    await has_seen(handle, EventType.EVENT_TYPE_TIMER_FIRED)
    held.log.go.set()
    assert (await ballot.result())["round"] == 1
    assert (await asyncio.wait_for(handle.result(), DEADLINE))["participating_nodes"] == ["x"]
    assert revealed(held, proposal) == [("x", "a")]


async def test_ballots_of_one_voter_that_come_at_once_are_taken_one_after_another(held):
    handle = await held.start(proposal := live(held, "x", "y"))
    ballots = [await accepted(handle, "x", choice) for choice in "aabc"]
    await asyncio.wait_for(held.log.reached.wait(), DEADLINE)
    held.log.go.set()
    first, again, other = [await ballot.result() for ballot in ballots[:3]]
    assert first == again
    assert (first["equivocates"], other["equivocates"]) == (False, True)
    with pytest.raises(WorkflowUpdateFailedError) as failed:
        await ballots[3].result()
    assert failed.value.cause.message == "voter: x has two different ballots in round 1 already"
    await cast(handle, "y", "a")
    assert (await asyncio.wait_for(handle.result(), DEADLINE))["consensus"] == "a"
    assert revealed(held, proposal) == [("x", "a"), ("x", "b"), ("y", "a")]
