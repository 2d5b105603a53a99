"""Appending: the same events again on a retry, a taken stream refused, no database waited for."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from temporalio.testing import ActivityEnvironment

from activities import append as appending
from activities.append import Append, StreamAppend
from domain.consensus.commands import OpenDeliberation, Voter
from domain.consensus.decide import open_deliberation
from domain.consensus.events import EVENTS, Opened
from domain.consensus.policy import Policy
from domain.event import Event
from domain.refusal import Refusal
from domain.stream import Draft
from tests.fakes.event_log import MemoryLog
from tests.fakes.read_model import MemoryReadModel
from workflows.payloads import Payloads
from workflows.recording import parts, request

BY_TYPE = {event.TYPE: event for event in EVENTS}
AT = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
STREAM = "consensus/q"


st.register_type_strategy(Policy, st.just(Policy()))
st.register_type_strategy(int, st.integers(-(2**63), 2**63 - 1))  # what the log stores


def storable(data) -> bool:
    return not any(odd in repr(data) for odd in ("nan", "inf", "\\x00"))


def drafted(count: int = 1) -> list[Event]:
    opening = OpenDeliberation("q", "Which?", ("a", "b"), (Voter("v"),), region="eu")
    draft = Draft(STREAM, "folkmoot/workflows", STREAM, "run-1", region="eu")
    return draft.events(open_deliberation(opening) * count, AT)


def travelled(events: list[Event]) -> StreamAppend:
    """What the activity is given: the request, after it went through Temporal's payloads."""
    (arrived,) = Payloads().from_payloads(
        Payloads().to_payloads([request("decisions", events)]), [StreamAppend]
    )
    return arrived


async def run(activity, asked):
    return await ActivityEnvironment().run(activity, asked)


async def test_what_is_appended_is_what_was_drafted():
    log, events = MemoryLog(), drafted(3)
    await run(Append(log, BY_TYPE, MemoryReadModel()).append_events, travelled(events))
    assert [event for _, event in log.appended] == events
    assert {topic for topic, _ in log.appended} == {"decisions"}


async def test_a_retry_appends_the_same_ids_so_that_readers_drop_them():
    log, events = MemoryLog(), drafted(2)
    append = Append(log, BY_TYPE, MemoryReadModel())
    await run(append.append_events, travelled(events))
    await run(append.append_events, travelled(events))
    assert len(log.appended) == 4
    assert log.stream(STREAM) == events


async def test_a_log_that_is_away_is_not_answered_for():
    log = MemoryLog(away=1)
    with pytest.raises(TimeoutError):
        await run(Append(log, BY_TYPE, MemoryReadModel()).append_events, travelled(drafted()))
    assert log.appended == []


async def test_an_unknown_event_type_is_refused_by_name():
    asked = travelled(drafted())
    strange = replace(asked, entries=(replace(asked.entries[0], type="consensus.opened.v99"),))
    log = MemoryLog()
    with pytest.raises(Refusal, match=r"consensus\.opened\.v99 is not an event type"):
        await run(Append(log, BY_TYPE, MemoryReadModel()).append_events, strange)
    assert log.appended == []


async def test_a_new_stream_is_opened():
    log = MemoryLog()
    await run(Append(log, BY_TYPE, MemoryReadModel()).open_stream, travelled(drafted()))
    assert isinstance(log.appended[0][1].data, Opened)


async def test_a_stream_that_the_read_model_knows_is_refused_and_nothing_is_written():
    log, known = MemoryLog(), MemoryReadModel(streams={STREAM: "another-event"})
    with pytest.raises(Refusal, match="consensus/q is being or was decided already"):
        await run(Append(log, BY_TYPE, known).open_stream, travelled(drafted()))
    assert log.appended == []


async def test_the_own_opening_of_an_earlier_attempt_is_no_other_stream():
    events = drafted()
    log, known = MemoryLog(), MemoryReadModel(streams={STREAM: events[-1].id})
    await run(Append(log, BY_TYPE, known).open_stream, travelled(events))
    assert log.stream(STREAM) == events


@pytest.mark.parametrize("failure", [OSError("no route"), TimeoutError()])
async def test_a_database_that_is_down_stops_no_decision(failure):
    log = MemoryLog()
    append = Append(log, BY_TYPE, MemoryReadModel(failure=failure))
    await run(append.open_stream, travelled(drafted()))
    assert len(log.appended) == 1


async def test_a_database_that_hangs_is_waited_for_only_so_long(monkeypatch):
    import asyncio

    class Hanging(MemoryReadModel):
        async def last_event(self, _stream):
            await asyncio.Event().wait()

    monkeypatch.setattr(appending, "LOOK_SECONDS", 0.01)
    log = MemoryLog()
    await run(Append(log, BY_TYPE, Hanging()).open_stream, travelled(drafted()))
    assert len(log.appended) == 1


def test_appends_are_parted_below_the_payload_limit_and_lose_nothing():
    events = drafted(40)
    large = [
        replace(e, data=replace(e.data, proposal=replace(e.data.proposal, evidence=("e" * 20_000,))))
        for e in events
    ]
    found = list(parts(large))
    assert [event for part in found for event in part] == large
    assert len(found) == 4
    assert list(parts(events)) == [events]
    assert list(parts([])) == []


def test_an_event_above_the_limit_travels_alone():
    (event,) = drafted()
    huge = replace(
        event, data=replace(event.data, proposal=replace(event.data.proposal, question="q" * 300_000))
    )
    assert [len(part) for part in parts([event, huge, event])] == [1, 1, 1]


@given(st.sampled_from(EVENTS).flatmap(st.from_type).filter(storable))
async def test_every_event_survives_the_way_through_temporal(data):
    log = MemoryLog()
    (event,) = Draft(STREAM, "folkmoot/workflows", STREAM, "run-1").events([data], AT)
    await run(Append(log, BY_TYPE, MemoryReadModel()).append_events, travelled([event]))
    assert log.appended == [("decisions", event)]
