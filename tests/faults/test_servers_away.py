"""A server is away: callers are told in time, nothing acknowledged is lost, what was under way goes on."""

import asyncio
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from eventlog.writer import LogWriter
from tests.faults.callers import Appender, Live, problems
from tests.faults.positions import until
from tests.faults.whole_stack import Said

DEADLINE = 2.0  # seconds that the writers of these tests give the log
VOTERS = ("ada", "grace", "edsger")
# 3 and 10 s are promised on a machine that does nothing else: here two processes of tests, and the servers of
# both, share the cores.
STATUS_WITHIN, BALLOT_WITHIN = 12.0, 30.0


@asynccontextmanager
async def appending(settings):
    async with LogWriter(settings.kafka, settings.topic_prefix, deadline=DEADLINE) as writer:
        appender = Appender(writer)
        task = asyncio.create_task(appender.run())
        try:
            yield appender
        finally:
            appender.stop()
            await task


async def ballot(stack, live, voter):
    """Hand in a ballot as a user would, at the command line."""
    return await stack.moot("consensus", "ballot", live.id, "--voter", voter, "--choice", "a", "--round", "1")


@dataclass(frozen=True, slots=True)
class Told:
    """What callers heard while a server was away."""

    wrong: dict[str, str]
    status_seconds: float
    ballot: Said
    refusals: int
    written: int


async def tell(stack, live, appender, seconds):
    """Ask for everything at once, and hear of it for at least so many seconds."""
    told, written = appender.told, len(appender.acknowledged)
    asked = asyncio.gather(problems(stack), ballot(stack, live, "grace"))
    await asyncio.sleep(seconds)  # how long the server is away is what the test is about
    (wrong, took), refused = await asked
    return Told(wrong, took, refused, appender.told - told, len(appender.acknowledged) - written)


async def work_while_away(scene, live, away, seconds):
    """Writers, dockets and a deliberation, with Kafka away in the middle of it all."""
    scene.dockets.begin()
    async with appending(scene.stack.settings) as appender:
        await more_written(appender)
        with away("kafka"):
            told = await tell(scene.stack, live, appender, seconds)
        began = time.monotonic()
        await more_written(appender)
        back = time.monotonic() - began
    return told, appender, back


async def more_written(appender):
    wanted = len(appender.acknowledged) + 20

    async def written():
        return len(appender.acknowledged) >= wanted

    await until(written, "the writer writes")


class TestKafkaAway:
    """Quick: frozen, for longer than the orchestrator's writer waits. Long: half a minute, frozen or dead."""

    async def test_callers_are_told_and_nothing_acknowledged_is_lost(self, scene, client, report):
        await self.hold(scene, client, scene.stack.frozen, 12, report)

    async def hold(self, scene, client, away, seconds, report):
        live = await Live.open(client, VOTERS)
        first = await live.cast("ada", "a", 1)
        told, appender, back = await work_while_away(scene, live, away, seconds)
        report(
            {
                "refusals": told.refusals,
                "longest_s": round(appender.longest, 2),
                "back_s": round(back, 1),
                "status_s": round(told.status_seconds, 1),
                "ballot_s": round(told.ballot.seconds, 1),
            }
        )
        check_told(told, appender, seconds)
        again = await ballot(scene.stack, live, "grace")
        assert again.status == 0, again.err
        last = await live.cast("edsger", "a", 1)
        outcome = await live.outcome()
        assert (outcome.consensus, sorted(outcome.participating_nodes)) == ("a", sorted(VOTERS))
        items = await scene.dockets.finish(within=60)
        found = await scene.judged([*items, live.stream])
        assert set(appender.acknowledged) <= found.streams
        assert {first.event_id, last.event_id} <= found.ids


def check_told(told, appender, seconds):
    assert list(told.wrong) == ["kafka"]
    assert told.status_seconds < STATUS_WITHIN
    assert (told.ballot.status, told.ballot.err.count("\n")) == (1, 1)
    assert "again is safe" in told.ballot.err.lower()
    assert told.ballot.seconds < BALLOT_WITHIN
    assert told.refusals >= seconds / DEADLINE / 2
    assert appender.longest < DEADLINE + 1.5
    assert told.written <= 1  # what was on its way when it left


@pytest.mark.chaos
@pytest.mark.parametrize("how", ["frozen", "kept_down"])
class TestKafkaAwayForLong(TestKafkaAway):
    @pytest.fixture
    def stack(self, fresh):
        return fresh

    async def test_callers_are_told_and_nothing_acknowledged_is_lost(self, scene, client, report, how):
        await self.hold(scene, client, getattr(scene.stack, how), 30, report)
        await scene.audited()


async def test_while_postgres_is_away_decisions_go_on(scene):
    scene.dockets.begin()
    with scene.stack.kept_down("postgres"):
        before = await scene.positions.written()
        assert await scene.positions.projected() is None

        async def a_docket_was_begun_and_decided():
            return await scene.positions.written() > before + 2 * scene.dockets.items

        await until(a_docket_was_begun_and_decided, "decisions go on without Postgres")
        wrong, took = await problems(scene.stack)
        assert list(wrong) == ["postgres"]
        assert took < STATUS_WITHIN
    await scene.judged(await scene.dockets.finish(within=60))


async def test_while_temporal_is_away_the_log_is_written_and_projected_and_then_decisions_go_on(
    scene, client
):
    live = await Live.open(client, VOTERS)
    await live.cast("ada", "a", 1)
    scene.dockets.begin()
    with scene.stack.kept_down("temporal"):
        async with appending(scene.stack.settings) as appender:
            await more_written(appender)
        await projected(scene.positions)
        refused = await ballot(scene.stack, live, "grace")
        assert (refused.status, refused.err.count("\n")) == (1, 1)
        assert refused.seconds < BALLOT_WITHIN
        assert list((await problems(scene.stack))[0]) == ["temporal"]
    for voter in ("grace", "edsger"):
        await live.cast(voter, "a", 1)
    assert sorted((await live.outcome()).participating_nodes) == sorted(VOTERS)
    items = await scene.dockets.finish(within=60)
    await scene.judged([*items, live.stream])


async def projected(positions):
    async def level():
        return await positions.written() == await positions.projected()

    await until(level, "all that is written is projected")
