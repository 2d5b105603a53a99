"""Workers die under a live deliberation: every ballot with a receipt counts, as it was cast, and once."""

import asyncio
import itertools

import pytest

from domain.consensus.events import BallotCast, BallotSealed
from domain.consensus.possible import commitment
from eventlog.codec import decode
from eventlog.reader import LogReader
from tests.faults.callers import Live
from tests.faults.positions import until

VOTERS = ("ada", "grace", "edsger", "barbara", "alan")


async def opened(live, number):
    async def is_open():
        return await live.round() >= number

    await until(is_open, f"round {number} is open")


async def on_the_log(settings, live):
    """The deliberation's events in order, by their first occurrence."""
    async with LogReader(settings.kafka, settings.topic_prefix) as reader:
        events = [decode(record.value) for record in await reader.stream(live.stream)]
    return list({event.id: event for event in events}.values())


def strike(stack, part):
    """Kill the part, unless it is dead already: several deliberations kill at will."""
    if part and stack.ready(part):
        stack.kill(part)


async def vote(stack, live, number, choices, killed):
    """All vote in turn; before each but the first a part dies. The last ballot's receipt, and then a kill."""
    receipts = {}
    for voter, choice in zip(VOTERS, choices, strict=True):
        if receipts:
            strike(stack, next(killed))
        receipts[voter] = await live.cast(voter, choice, number)
        assert receipts[voter].round == number
    return receipts


async def deliberate(scene, client, killed):
    """Two rounds: the first ends three to two, the second in agreement."""
    live = await Live.open(client, VOTERS)
    receipts = []
    for number, choices in enumerate(("aabba", "aaaaa"), start=1):
        await opened(live, number)
        receipts.append(await vote(scene.stack, live, number, choices, killed))
        if number == 1:
            strike(scene.stack, "orchestrator")  # the round is being closed, or was closed just now
    outcome = await live.outcome()
    assert (outcome.consensus, outcome.rounds_required) == ("a", 2)
    assert sorted(outcome.participating_nodes) == sorted(VOTERS)
    return live, receipts


def every_receipt_counts(events, receipts):
    sealed = {e.id: e.data for e in events if isinstance(e.data, BallotSealed)}
    cast = [e.data for e in events if isinstance(e.data, BallotCast)]
    for number, round_ in enumerate(receipts, start=1):
        counted = [ballot for ballot in cast if ballot.round == number]
        assert sorted(ballot.voter for ballot in counted) == sorted(VOTERS)
        for ballot in counted:
            receipt = round_[ballot.voter]
            assert sealed[receipt.event_id].commitment == receipt.commitment == commitment(ballot)


async def test_every_receipted_ballot_counts_when_the_orchestrator_is_killed(scene, client):
    killed = itertools.chain([None, "orchestrator", None, None], itertools.repeat(None))
    live, receipts = await deliberate(scene, client, killed)
    await scene.judged([live.stream])
    every_receipt_counts(await on_the_log(scene.stack.settings, live), receipts)


@pytest.mark.chaos
@pytest.mark.timeout(1200)
class TestForLong:
    """Ten deliberations at once, with the orchestrator, Temporal and Kafka dying between the ballots."""

    @pytest.fixture
    def stack(self, fresh):
        return fresh

    async def test_every_receipted_ballot_counts_whatever_dies(self, scene, client, kills, report):
        parts = [None, None, "orchestrator", "temporal", "kafka"]
        killed = (kills.chance.choice(parts) for _ in itertools.count())
        held = await asyncio.gather(*(deliberate(scene, client, killed) for _ in range(10)))
        report({"deliberations": len(held), "kills": sum(h["state"] == "died" for h in scene.stack.happened)})
        await scene.judged([live.stream for live, _ in held])
        for live, receipts in held:
            every_receipt_counts(await on_the_log(scene.stack.settings, live), receipts)
        await scene.audited()
