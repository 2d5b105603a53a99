"""What every event log must do, the real one and the one in memory. Subclass it and give its fixtures.

`log` is an `activities.ports.EventLog`; `silent_log` is one that does not answer; `read(stream)` gives, as a
coroutine, all events that lie on `log` for a stream, repetitions included, in order.
"""

import asyncio
from dataclasses import replace

import pytest

from domain.refusal import Refusal
from tests.unit.eventlog.examples import ballot, ballots


class EventLogConformance:
    async def test_appended_events_are_on_the_log_in_order(self, log, read):
        events = ballots(12, streams=3)
        await log.append("decisions", events)
        for stream in {event.stream for event in events}:
            assert await read(stream) == [event for event in events if event.stream == stream]

    async def test_many_events_at_once_keep_the_order_of_each_stream(self, log, read):
        events = ballots(1500, streams=7)
        await log.append("decisions", events)
        for stream in {event.stream for event in events}:
            assert [e.version for e in await read(stream)] == [
                e.version for e in events if e.stream == stream
            ]

    async def test_an_event_comes_back_equal_whatever_it_holds(self, log, read):
        event = ballot(reason='"quoted", ünïcode, \u2028, and a tab\t', confidence=0.1 + 0.2)
        await log.append("decisions", [event])
        assert await read(event.stream) == [event]

    async def test_appending_nothing_writes_nothing(self, log, read):
        await log.append("decisions", [])
        assert await read("consensus/42") == []

    @pytest.mark.parametrize(
        ("bad", "problem"),
        [
            (ballot(version=2, reason="x" * 300_000), "at most 262144"),
            (ballot(version=2, reason="\0"), "NUL"),
            (ballot(version=2, confidence=float("nan")), "NaN"),
            (ballot("checkpoints/decisions.0"), "does not belong to topic decisions"),
            (replace(ballot(), id="42"), "id is not a UUID"),
        ],
        ids=["too large", "not storable", "not a number", "of another topic", "without an id"],
    )
    async def test_one_refused_event_leaves_all_unwritten(self, log, read, bad, problem):
        with pytest.raises(Refusal, match=problem):
            await log.append("decisions", [ballot(), bad, ballot("consensus/43")])
        assert await read("consensus/42") == []
        assert await read("consensus/43") == []

    async def test_appending_again_is_safe_because_the_ids_are_the_same(self, log, read):
        events = ballots(4)
        await log.append("decisions", events)
        await log.append("decisions", events)
        seen = await read(events[0].stream)
        assert list(dict.fromkeys(event.id for event in seen)) == [event.id for event in events]
        assert seen[:4] == events

    async def test_appends_at_the_same_time_do_not_disturb_each_other(self, log, read):
        writers = [[ballot(f"consensus/w{n}", version) for version in range(1, 6)] for n in range(40)]
        await asyncio.gather(*(log.append("decisions", events) for events in writers))
        for events in writers:
            assert await read(events[0].stream) == events

    async def test_a_log_that_does_not_answer_is_a_timeout(self, silent_log):
        with pytest.raises(TimeoutError):
            await silent_log.append("decisions", [ballot()])

    async def test_what_is_refused_is_refused_also_while_the_log_is_away(self, silent_log):
        with pytest.raises(Refusal):
            await silent_log.append("decisions", [ballot(reason="\0")])
