"""What another policy would have said of decisions that were taken under fault models."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from audit.whatif import whatif_all
from domain.consensus.commands import OpenDeliberation, RecordedBallot, Voter
from domain.consensus.policy import Policy
from domain.consensus.recorded import open_and_hold
from domain.stream import Draft
from tests.unit.domain.conflict.given import Trial, member

AT = datetime(2026, 1, 1, tzinfo=UTC)
STAKES = {"ann": 3.0, "bob": 1.0, "cem": 0.5}


def decided(name, policy, hours=0, **choices):
    """One round of recorded ballots; under `stake` by the stakes above."""
    stakes = STAKES if policy.fault_model == "stake" else {}
    voters = tuple(
        Voter(voter, weight=stakes.get(voter, 1.0), ballots=(RecordedBallot(choice),))
        for voter, choice in choices.items()
    )
    given = OpenDeliberation(name, "?", ("yes", "no"), voters, policy=policy)
    stream = f"consensus/{name}"
    return open_and_hold(given, {}, None, Draft(stream, "test", stream, "run"), AT + timedelta(hours=hours))


async def again(change, *streams):
    async def given():
        for events in streams:
            yield events

    return await whatif_all(given(), change)


STAKED = decided("staked", Policy(fault_model="stake"), ann="yes", bob="yes", cem="no")
BORNE = decided("borne", Policy(fault_model="crash"), ann="yes", bob="yes", cem="yes")
PLAIN = decided("plain", Policy(), ann="yes", bob="yes", cem="yes")


@pytest.mark.parametrize(
    ("weighting", "unfit", "left_out"), [("reputation", 1, 0), ("posterior", 2, 1), ("equal", 0, 0)]
)
async def test_a_decision_that_bears_no_such_weighting_is_left_out_and_stops_no_other(
    weighting, unfit, left_out
):
    found = await again({"weighting": weighting}, STAKED, BORNE, PLAIN)
    assert (found.unfit, found.left_out) == (unfit, left_out)
    assert len(found.decisions) == 3 - unfit - left_out


async def test_stakes_stay_what_they_are_when_all_else_weighs_alike():
    assert STAKED[-1].data.agreement > 0.8
    found = await again({"weighting": "equal"}, STAKED)
    assert (len(found.decisions), found.differing) == (1, [])


async def test_what_a_decision_that_is_left_out_said_of_its_voters_still_counts():
    staked = [
        decided(f"s{n}", Policy(fault_model="stake"), hours=n, ann="yes", bob="yes", cem="yes", dee="no")
        for n in range(12)
    ]
    late = decided("late", Policy(), hours=24, ann="yes", dee="no")
    found = await again({"weighting": "reputation"}, *staked, late)
    assert {one.id: one.retaken for one in found.differing} == {"late": "yes"}


def ruled_case():
    """One of three members votes against what is ruled."""
    trial = Trial.of([member(0), member(3), member(6, "p2")])
    trial.begin()
    trial.deliberate()
    trial.settle()
    trial.end()
    return trial.log


async def test_what_cases_said_of_their_voters_counts_and_what_forged_ones_say_does_not():
    case = ruled_case()
    late = decided("late", Policy(), hours=24 * 30, m00="yes", m06="no")
    found = await again({"weighting": "reputation"}, *[case] * 12, late)
    assert {one.id: one.retaken for one in found.differing} == {"late": "yes"}
    turned = tuple(replace(score, right=not score.right) for score in case[-1].data.scores)
    forged = [*case[:-1], replace(case[-1], data=replace(case[-1].data, scores=turned))]
    found = await again({"weighting": "reputation"}, *[forged] * 12, late)
    assert (found.differing, found.divergent) == ([], ["conflict/c1"] * 12)
