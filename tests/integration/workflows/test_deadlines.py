"""Hours and days in milliseconds: the test server skips the time that a workflow waits."""

import shutil
import sysconfig

import pytest
from temporalio.client import WorkflowFailureError
from temporalio.testing import WorkflowEnvironment

from activities.ports import Standing
from domain.consensus.events import BallotCast, Decided, RoundClosed
from tests.integration.workflows.conftest import Moot
from workers import search_attributes
from workflows.payloads import CONVERTER


@pytest.fixture
async def skipping():
    server = shutil.which("temporal-test-server", path=sysconfig.get_path("scripts"))
    environment = await WorkflowEnvironment.start_time_skipping(
        test_server_existing_path=server, data_converter=CONVERTER
    )
    async with environment:
        await search_attributes.add(environment.client, search_attributes.wanted())
        moot = Moot(environment.client)
        async with moot.working():
            yield moot


def live(moot, *voters, **policy):
    return {
        "id": moot.id("live"),
        "question": "Which?",
        "options": ["a", "b"],
        "voters": [{"id": voter, "kind": "external"} for voter in voters],
        "policy": policy,
    }


def data(moot, proposal, kind):
    return [event.data for event in moot.stream(proposal["id"]) if isinstance(event.data, kind)]


async def test_a_round_that_nobody_votes_in_closes_at_its_deadline(skipping):
    proposal = live(skipping, "x", "y", round_seconds=86_400, max_rounds=1)
    outcome = await (await skipping.start(proposal)).result()
    assert (outcome["consensus"], outcome["status"]) == (None, "unresolved")
    assert outcome["reason"].startswith("none of 2 cast a ballot")
    assert 86_400 <= outcome["time_to_consensus"] < 86_410


async def test_silence_is_no_ballot_and_the_others_decide_at_the_deadline(skipping):
    proposal = live(skipping, "x", "y", "z", round_seconds=3600)
    handle = await skipping.start(proposal)
    for voter in ("x", "y"):
        await handle.execute_update("cast_ballot", {"voter": voter, "choice": "a"})
    outcome = await handle.result()
    assert (outcome["consensus"], outcome["rounds_required"]) == ("a", 1)
    assert [ballot.voter for ballot in data(skipping, proposal, BallotCast)] == ["x", "y"]
    assert data(skipping, proposal, RoundClosed)[0].abstained == 1


async def test_a_person_who_does_not_rule_in_time_leaves_it_unresolved(skipping):
    proposal = live(skipping, "x", max_rounds=1, otherwise="person", person_seconds=604_800)
    outcome = await (await skipping.start(proposal)).result()
    assert (outcome["status"], outcome["authority"]) == ("unresolved", "rule")
    assert outcome["reason"].endswith("no person ruled in time")
    assert outcome["time_to_consensus"] >= 604_800
    assert len(data(skipping, proposal, Decided)) == 1


async def test_rounds_follow_one_another_until_the_cap(skipping):
    proposal = live(skipping, "x", "y", round_seconds=60, max_rounds=3, threshold=1)
    handle = await skipping.start(proposal)
    for number, choices in enumerate([("a", "b"), ("b", "a"), ("a", "b")], start=1):
        await skipping.until(handle, round=number)
        for voter, choice in zip(("x", "y"), choices, strict=True):
            await handle.execute_update("cast_ballot", {"voter": voter, "choice": choice, "round": number})
    outcome = await handle.result()
    assert (outcome["status"], outcome["rounds_required"]) == ("unresolved", 3)
    assert [closed.stop for closed in data(skipping, proposal, RoundClosed)] == ["open", "open", "cap"]


async def test_reputations_that_cannot_be_read_end_the_deliberation_before_it_opens(skipping):
    skipping.model._failure = OSError("the read tables cannot be asked")
    proposal = {**live(skipping, "x"), "policy": {"weighting": "reputation"}}
    handle = await skipping.start(proposal)
    with pytest.raises(WorkflowFailureError) as failed:
        await handle.result()
    line = "policy.weighting: the reputations could not be read within 30 s; try again, or weigh equal"
    assert failed.value.cause.message == line
    assert skipping.log.calls == 0


async def test_reputations_weigh_the_seats(skipping):
    skipping.model._standings = {"x": Standing(9.0, 1.0), "y": Standing(1.0, 9.0)}
    voters = [{"id": v, "ballots": [{"choice": c}]} for v, c in [("x", "a"), ("y", "b"), ("z", "b")]]
    proposal = {**live(skipping), "voters": voters, "policy": {"weighting": "reputation", "threshold": 0.6}}
    outcome = await (await skipping.start(proposal)).result()
    assert {seat["voter"]: seat["weight"] for seat in outcome["panel"]} == {"x": 0.9, "y": 0.1, "z": 0.5}
    assert (outcome["consensus"], outcome["agreement"]) == ("a", 0.6)
