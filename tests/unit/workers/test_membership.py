"""A node in the fleet: it announces itself, says what changed, waits for servers, and leaves."""

import asyncio

import pytest
from structlog.testing import capture_logs
from temporalio.service import RPCError, RPCStatusCode

from domain.refusal import Refusal
from tests.unit.domain.learning.fleets import client
from workers import membership
from workers.membership import Membership

GONE = RPCError("connection refused", RPCStatusCode.UNAVAILABLE, b"")


class Announcer:
    """Takes down what is said; `faults` are raised first, one a call."""

    def __init__(self, *faults):
        self.faults, self.said, self.left, self.spoke = [*faults], [], [], asyncio.Event()

    async def say(self, events):
        if self.faults:
            raise self.faults.pop(0)
        self.said.append([c.data[0].rows for event in events for c in event.clients])
        self.spoke.set()
        return len(events)

    async def leave(self, reason):
        if self.faults:
            raise self.faults.pop(0)
        self.left.append(reason)


def looks(*found):
    """What is found at each look; the last one again and again."""
    left = list(found)

    def look():
        now = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(now, Exception):
            raise now
        return now

    return look


async def kept(announcer, look, until):
    member = Membership(announcer, "edge-1", "eu", look, 0.0)
    keeping = asyncio.create_task(member.keep())
    try:
        async with asyncio.timeout(5):
            while not until(announcer) and not keeping.done():  # noqa: ASYNC110 # anything may be waited for
                await asyncio.sleep(0)
    finally:
        keeping.cancel()
    return await asyncio.gather(keeping, return_exceptions=True)


async def test_it_says_what_changed_and_nothing_twice():
    found = [[client(rows=n)] for n in (100, 100, 105, 200, 200)]
    announcer = Announcer()
    await kept(announcer, looks(*found), lambda a: len(a.said) == 2)
    assert announcer.said == [[100], [200]]


async def test_small_steps_add_up():
    announcer = Announcer()
    found = [[client(rows=100 + n)] for n in range(12)]
    await kept(announcer, looks(*found), lambda a: len(a.said) == 2)
    assert announcer.said == [[100], [111]]


async def test_it_waits_for_temporal_and_says_so_once():
    announcer = Announcer(GONE, OSError("disk"))
    with capture_logs() as logs:
        await kept(announcer, looks([client()]), lambda a: a.said)
    assert announcer.said == [[100]]
    assert [log["event"] for log in logs] == ["server.away", "server.back", "fleet.member"]


async def test_it_says_once_that_nobody_writes_what_it_announces(monkeypatch):
    monkeypatch.setattr(membership, "SLOW_SECONDS", 0.0)
    announcer, written = Announcer(), asyncio.Event()
    say = announcer.say

    async def late(events):
        await written.wait()
        return await say(events)

    announcer.say = late
    asyncio.get_running_loop().call_later(0.05, written.set)
    with capture_logs() as logs:
        await kept(announcer, looks([client()]), lambda a: a.said)
    assert [log["event"] for log in logs] == ["server.away", "server.back", "fleet.member"]
    assert "does `moot worker orchestrator` run?" in logs[0]["cause"]


async def test_a_source_that_stays_broken_is_logged_once():
    announcer, broken = Announcer(), KeyError("y")
    with capture_logs() as logs:
        found = ([client()], broken, broken, [client(rows=5)], broken, [client(rows=9)])
        await kept(announcer, looks(*found), lambda a: len(a.said) == 3)
    assert [log["event"] for log in logs if "not" in log["event"]] == ["fleet.not_looked"] * 2


async def test_a_source_that_fails_later_is_logged_and_one_that_fails_at_first_ends_it():
    announcer = Announcer()
    with capture_logs() as logs:
        await kept(announcer, looks([client()], KeyError("y"), [client(rows=5)]), lambda a: len(a.said) == 2)
    assert announcer.said == [[100], [5]]
    assert [log["cause"] for log in logs if log["event"] == "fleet.not_looked"] == ["'y'"]
    (ended,) = await kept(announcer, looks(Refusal("data", "no")), lambda _: False)
    assert isinstance(ended, Refusal)


async def test_a_refusal_of_what_it_says_ends_it():
    (ended,) = await kept(Announcer(Refusal("--id", "no")), looks([client()]), lambda _: False)
    assert isinstance(ended, Refusal)


@pytest.mark.parametrize("fault", [None, GONE, TimeoutError(), Refusal("--id", "no")])
async def test_it_takes_its_leave_as_far_as_it_can(fault):
    announcer = Announcer(*([fault] if fault else []))
    with capture_logs() as logs:
        await Membership(announcer, "edge-1", "eu", looks([]), 1.0).leave()
    assert announcer.left == ([] if fault else ["stopped"])
    assert [log["event"] for log in logs] == (["fleet.not_left"] if fault else [])


async def test_nobody_waits_for_ever_to_leave(monkeypatch):
    monkeypatch.setattr(membership, "LEAVE_SECONDS", 0.0)
    announcer = Announcer()
    announcer.leave = lambda _: asyncio.Event().wait()
    with capture_logs() as logs:
        await Membership(announcer, "edge-1", "eu", looks([]), 1.0).leave()
    assert [log["event"] for log in logs] == ["fleet.not_left"]
