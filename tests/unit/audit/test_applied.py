"""Rulings in the shared context are made again from their cases; one that no case gives is named."""

from dataclasses import replace
from datetime import timedelta

import msgspec
import pytest

from audit.applied import AppliedRulings, context_ends
from audit.replay import compare_applied, replay_all, replay_stream
from domain.conflict.applied import Application, ruling
from domain.context.events import stream_of
from domain.context.recording import recorded
from domain.context.residency import Residency
from eventlog.partitioning import partition_of
from tests.fakes.log_reader import MemoryReader
from tests.unit.domain.conflict.given import Trial
from tests.unit.domain.context.given import wrote

KEY = {"layer": "situational", "key": "ward-3/beds"}
NINE = wrote("eu-1:4", 9, **KEY)
SEVEN = wrote("eu-2:9", 7, **KEY)
LATER = {"wall": 1_900_000_000_000}


def resolved():
    trial = Trial.of()
    trial.decide("p1")
    trial.end()
    return trial


TRIAL = resolved()
RULING = ruling(Application(TRIAL.state.opened, TRIAL.state.outcome, TRIAL.state.closed_at), (NINE, SEVEN))


def log_of(*writes, case=TRIAL.log):
    """A log with the case, the writes that it covers, and then `writes`: of eu, or (region, write)."""
    reader = MemoryReader()
    reader.counts["context.eu"] = reader.counts["context.us"] = 3
    reader.append(case)
    for write in (NINE, SEVEN, *writes):
        region, one = write if isinstance(write, tuple) else ("eu", write)
        reader.append([recorded(one, region, Residency())], f"context.{region}")
    return reader


async def compared(reader, case=TRIAL.log, *, everything=True):
    async def streams():
        yield case

    ends = await context_ends(reader)
    found = await (replay_all(streams()) if everything else replay_stream(reader, "conflict/c1"))
    found.divergent.clear()  # the panel's own stream is not on this log
    await compare_applied(found, reader, ends, everything=everything)
    return found


async def problems(reader, case=TRIAL.log, *, everything=True):
    return [one.problem for one in (await compared(reader, case, everything=everything)).divergent]


@pytest.mark.parametrize("everything", [True, False])
async def test_a_ruling_that_its_case_gives_differs_in_no_region_and_however_often_it_lies_there(everything):
    found = await compared(log_of(RULING, RULING, ("us", RULING)), everything=everything)
    assert found.divergent == []
    assert (found.applied.compared, found.applied.missing) == (2, [])


def test_the_ruling_is_of_the_time_that_the_log_has_of_it():
    assert RULING.wall == int(TRIAL.log[-1].time.timestamp() * 1000)


SECOND = {"counter": 2, "seen": {**RULING.seen, "case.c1": 1}}
AS_A_NODE = {"node": "eu-1", "counter": 5, "seen": {"eu-1": 4}}
FORGED = {
    "another value": (replace(RULING, value="seven beds"), "value"),
    "true for one": (replace(RULING, value=True), "value"),
    "a second ruling over the first": (replace(RULING, **SECOND), "counter, seen"),
    "one that lives longer": (replace(RULING, ttl_ms=10**12), "ttl_ms"),
    "one that covers more": (replace(RULING, seen={**RULING.seen, "eu-3": 1}), "seen"),
    "one of another time": (replace(RULING, **LATER), "wall"),
    "one under another node": (replace(RULING, **AS_A_NODE), "node, counter, seen"),
    "one of another key": (replace(RULING, key="ward-4/beds"), "key"),
}


@pytest.mark.parametrize("region", ["eu", "us"])
@pytest.mark.parametrize("forged", FORGED)
async def test_a_ruling_that_its_case_does_not_give_is_named_in_any_region(forged, region):
    write, fields = FORGED[forged]
    assert await problems(log_of(RULING, (region, write))) == [f"{fields}: another follows from conflict/c1"]


@pytest.mark.parametrize("forged", [name for name in FORGED if name != "one of another key"])
async def test_it_is_named_where_only_the_case_is_replayed(forged):
    write, fields = FORGED[forged]
    named = [f"{fields}: another follows from conflict/c1"]
    assert await problems(log_of(RULING, write), everything=False) == named


NOBODYS = replace(RULING, node="case.c2", case="c2")


async def test_a_ruling_of_a_case_that_is_not_on_the_log_is_named_by_whoever_reads_all():
    reader = log_of(RULING, NOBODYS)
    (problem,) = await problems(reader)
    assert problem == "it says that it is a ruling, and conflict/c2 is not resolved on the log"
    assert await problems(reader, everything=False) == []


async def test_a_ruling_of_a_case_that_is_open_is_named():
    (problem,) = await problems(log_of(RULING, case=TRIAL.log[:-1]), TRIAL.log[:-1], everything=False)
    assert problem == "it says that it is a ruling, and conflict/c1 is not resolved on the log"


async def test_a_write_under_the_name_of_a_ruling_that_names_no_case_is_named():
    (problem,) = await problems(log_of(RULING, replace(RULING, counter=2, case=None)))
    assert problem == "case.c1 is the name of a ruling, and it names no case"


async def test_a_ruling_over_a_write_that_is_not_on_the_log_is_named():
    reader = log_of(RULING)
    place = next(p for p, records in reader.places.items() if p[0] == "context.eu" and records)
    reader.places[place] = [r for r in reader.places[place] if b'"node":"eu-2"' not in r.value]
    (problem,) = await problems(reader)
    assert problem.endswith("covers: eu-2:9 of the case is not known in the shared context")


async def test_a_changed_write_under_a_ruling_changes_what_the_ruling_should_say():
    reader = log_of(RULING)
    for place, records in reader.places.items():
        if place[0] == "context.eu":
            reader.places[place] = [turned(record) for record in records]
    assert await problems(reader) == ["value: another follows from conflict/c1"]


def turned(record):
    """The write eu-1:4 with another value; any other record as it is."""
    if b'"node":"eu-1"' not in record.value:
        return record
    return msgspec.structs.replace(record, value=record.value.replace(b'"value":9', b'"value":8'))


async def test_what_readers_park_is_no_ruling():
    reader = log_of(RULING)
    event = recorded(replace(RULING, value="forged"), "eu", Residency())
    right = partition_of(event.stream.encode(), 3)
    reader.append([replace(event, version=2)], "context.eu")
    reader.append([replace(event, time=event.time + timedelta(seconds=1))], "context.eu")
    reader.append([replace(event, stream=stream_of("eu", "situational", "k"))], "context.eu")
    reader.append([event], "context.eu", partition=(right + 1) % 3)
    reader.append([event], "context.us")
    assert await problems(reader) == []


async def test_a_ruling_that_is_not_in_the_context_is_counted_and_differs_from_nothing():
    found = await compared(log_of())
    assert (found.divergent, found.applied.missing) == ([], ["conflict/c1"])
    found = await compared(log_of(("us", RULING)))
    assert found.applied.missing == ["conflict/c1"]


async def test_what_comes_after_the_cases_were_read_is_left_to_the_next_replay():
    reader = log_of(RULING)
    ends = await context_ends(reader)
    reader.append([recorded(NOBODYS, "eu", Residency())], "context.eu")
    found = AppliedRulings()
    found.take(TRIAL.state)
    await found.settle(reader, ends, everything=True)
    assert found.divergent == []
