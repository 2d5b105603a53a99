"""The log held against what workflows say they appended: whatever somebody else wrote, or lost, is named."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from temporalio.client import WorkflowHistory

from activities.docket import DocketWork
from activities.docket_slices import Slices
from activities.docket_tasks import DecideSlice, PrepareDocket
from audit.authorship import Authorship, concerning
from audit.ledger import Ledger
from domain.consensus.commands import OpenDeliberation, RecordedBallot, Voter
from domain.consensus.decide import open_deliberation
from domain.consensus.docket import DecideDocketRequest, RecordedLabel
from domain.consensus.events import DocketClosed, DocketOpened
from domain.consensus.policy import Policy
from domain.consensus.recorded import hold_rounds
from domain.consensus.state import NOT_OPENED, fold_all
from domain.deadletters import Discarded
from domain.stream import Draft, writer_of
from eventlog.codec import decode
from tests.fakes.artifacts import MemoryArtifacts
from tests.fakes.event_log import MemoryLog
from tests.fakes.histories import Run
from tests.fakes.log_reader import MemoryReader
from tests.fakes.read_model import MemoryReadModel
from workers.histories import SliceLost, appended
from workflows.recording import request

AT = datetime(2026, 1, 1, tzinfo=UTC)
GOLDEN = Path(__file__).parents[2] / "golden"


def deliberated(name="q", choice="yes", run="run"):
    stream = f"consensus/{name}"
    voters = tuple(Voter(voter, ballots=(RecordedBallot(choice),)) for voter in "abc")
    draft = Draft(stream, "test", stream, run)
    opening = draft.events(open_deliberation(OpenDeliberation(name, "?", ("yes", "no"), voters)), AT)
    return opening + hold_rounds(fold_all(NOT_OPENED, opening), voters, draft, AT)[0]


EVENTS = deliberated()
FORGED = deliberated(choice="no", run="another")


def run_of(events):
    """The history of the workflow that appended `events`, the opening first."""
    run = Run(events[0].stream)
    run.did("open_stream", request("decisions", events[:1]))
    return run.did("append_events", request("decisions", events[1:])).history()


async def held(reader, *histories, stream=None, artifacts=None, later=()):
    """What comes out when `later` is appended while the histories are read."""
    ledger = Ledger(concerning(stream))
    await ledger.read(reader, lambda *_: None)
    authorship = Authorship(ledger)
    for history in histories:
        try:
            async for event, durable in appended(history, Slices(artifacts), ledger.wanted):
                authorship.wrote(history.workflow_id, event, durable=durable)
        except SliceLost as lost:
            authorship.cannot_tell(history.workflow_id, str(lost))
    if later:
        reader.append(later)
    await ledger.read(reader, lambda *_: None)
    foreign, unvouched = await authorship.findings(reader)
    return [await one.told(reader) for one in foreign], unvouched, authorship.streams


def log_of(*events):
    reader = MemoryReader()
    reader.counts["decisions"] = 4
    reader.append(events)
    return reader


async def test_a_stream_that_is_as_its_workflow_wrote_it_agrees_also_where_it_repeats():
    assert await held(log_of(*EVENTS, *EVENTS[1:]), run_of(EVENTS)) == ([], [], 1)


async def test_an_extra_event_is_named():
    extra = replace(FORGED[1], version=len(EVENTS) + 1)
    (found,), unvouched, _ = await held(log_of(*EVENTS, extra), run_of(EVENTS))
    assert (found.stream, found.event_id, unvouched) == ("consensus/q", extra.id, [])
    assert found.problem == f"offset {len(EVENTS)}: its workflow did not append it"


@pytest.mark.parametrize("version", [1, 3, len(EVENTS)])
async def test_a_replaced_event_is_named_with_what_its_workflow_appended(version):
    records = [*EVENTS[: version - 1], FORGED[version - 1], *EVENTS[version:]]
    (found,), _, _ = await held(log_of(*records), run_of(EVENTS))
    assert found.event_id == FORGED[version - 1].id
    assert f"but event {EVENTS[version - 1].id} as version {version}" in found.problem


async def test_an_event_that_says_something_else_under_its_own_id_is_named():
    changed = replace(EVENTS[1], data=replace(EVENTS[1].data, choice="no"))
    (found,), _, _ = await held(log_of(EVENTS[0], changed, *EVENTS[2:]), run_of(EVENTS))
    assert (found.event_id, found.type) == (EVENTS[1].id, EVENTS[1].type)


@pytest.mark.parametrize("version", [1, 3, len(EVENTS)])
async def test_a_missing_event_is_named(version):
    records = [*EVENTS[: version - 1], *EVENTS[version:]]
    (found,), _, _ = await held(log_of(*records), run_of(EVENTS))
    lost = EVENTS[version - 1]
    assert (found.event_id, found.type) == (lost.id, lost.type)
    assert found.problem == "its workflow appended it, but the log lacks it"


async def test_the_first_of_several_differences_is_the_one_that_is_named():
    (found,), _, _ = await held(log_of(*EVENTS[:2], FORGED[2], *FORGED[4:]), run_of(EVENTS))
    assert found.event_id == FORGED[2].id
    (found,), _, _ = await held(log_of(EVENTS[0], *FORGED[2:]), run_of(EVENTS))
    assert found.event_id == EVENTS[1].id


async def test_a_record_that_is_no_event_of_its_stream_is_named_by_its_offset():
    reader = log_of(*EVENTS)
    place = next(iter(reader.places))
    reader.put(b"junk", b"consensus/q", *place)
    (found,), _, _ = await held(reader, run_of(EVENTS))
    assert (found.type, found.problem) == (
        "no event of this stream",
        f"offset {len(EVENTS)}: its workflow did not append it",
    )


async def test_a_whole_forged_stream_has_no_history_and_is_counted():
    forged = deliberated("forged")
    foreign, (one,), streams = await held(log_of(*EVENTS, *forged), run_of(EVENTS))
    assert (foreign, one.stream, one.events, streams) == ([], "consensus/forged", len(forged), 1)
    assert one.why == "Temporal has no history to compare with"


async def test_a_start_that_was_refused_speaks_for_no_event():
    refused = Run("consensus/q").did("open_stream", request("decisions", EVENTS[:1]), ended="failed")
    foreign, (one,), _ = await held(log_of(*EVENTS), refused.history())
    assert (foreign, one.stream) == ([], "consensus/q")


async def test_what_is_appended_while_the_histories_are_read_is_not_missing_yet_what_never_comes_is():
    history = run_of(EVENTS)
    assert await held(log_of(*EVENTS[:2]), history, later=EVENTS[2:]) == ([], [], 1)
    assert (await held(log_of(*EVENTS[:2]), history, later=EVENTS[2:-1]))[0][0].event_id == EVENTS[-1].id


async def test_an_append_under_way_may_be_on_the_log_or_not():
    run = Run("consensus/q").did("open_stream", request("decisions", EVENTS[:1]))
    history = run.did("append_events", request("decisions", EVENTS[1:]), ended=None).history()
    for records in (EVENTS[:1], EVENTS[:3], EVENTS):
        assert (await held(log_of(*records), history))[0] == []


async def test_two_runs_may_vouch_for_the_same_events():
    """A reset run begins with the history of the one before."""
    assert await held(log_of(*EVENTS), run_of(EVENTS), run_of(EVENTS)) == ([], [], 1)


@pytest.mark.parametrize("name", ["one_recorded_round", "two_live_rounds", "mediated", "ruled_by_a_person"])
async def test_a_golden_history_tells_the_events_that_it_wrote(name):
    history = WorkflowHistory.from_json(name, (GOLDEN / "histories" / f"{name}.json").read_text("utf-8"))
    events = [event async for event, durable in appended(history, Slices(None), lambda _: True) if durable]
    assert [event.version for event in events] == [*range(1, len(events) + 1)]
    assert events[-1].type == "consensus.decided.v1"
    assert fold_all(NOT_OPENED, events).decided == events[-1].data


async def test_an_event_of_an_earlier_form_is_compared_in_todays():
    value = (GOLDEN / "events" / "consensus.ballot_cast.v1.json").read_bytes()
    event = decode(value)
    told = request("decisions", [event])
    earlier = replace(
        told.entries[0],
        type="consensus.ballot_cast.v1",
        data={"voter": event.data.voter, "round": event.data.round, "choice": event.data.choice or "",
              "confidence": round(event.data.confidence * 100), "reason": event.data.reason,
              "changed": event.data.changed, "nonce": event.data.nonce},
    )  # fmt: skip
    run = Run(event.stream).did("append_events", replace(told, entries=(earlier,)))
    ((found, durable),) = [one async for one in appended(run.history(), Slices(None), lambda _: True)]
    assert (found, durable) == (event, True)


class Docket:
    """A docket of three items, its history, and what it put on the log."""

    async def decide(self):
        self.log, self.artifacts = MemoryLog(), MemoryArtifacts()
        work = DocketWork(self.log, self.artifacts, MemoryReadModel())
        rows = tuple(RecordedLabel(f"i{n}", voter, "x") for n in range(3) for voter in "ab")
        wanted = DecideDocketRequest("d", ballots=rows, policy=Policy(weighting="posterior"))
        self.prepared = await work.prepare_docket(PrepareDocket(wanted, AT))
        task = DecideSlice(wanted, self.prepared, 0, 3, AT, "docket/d", "run")
        part = await work.decide_slice(task)
        said = [
            DocketOpened("d", "?", "t", self.prepared.table, 3, 2, ("x",), wanted.policy),
            DocketClosed(3, part.statuses, part.outcomes),
        ]
        own = Draft("docket/d", "test", "docket/d", "run").events(said, AT)
        run = Run("docket/d").did("open_stream", request("decisions", own[:1])).did("decide_slice", task)
        self.history = run.did("append_events", request("decisions", own[1:])).history()
        self.events = [*own, *(event for _, event in self.log.appended)]
        return self


async def test_the_items_of_a_docket_are_held_against_its_history():
    docket = await Docket().decide()
    reader = log_of(*docket.events)
    assert await held(reader, docket.history, artifacts=docket.artifacts) == ([], [], 4)
    assert await held(
        reader, docket.history, stream="consensus/d.1", artifacts=docket.artifacts
    ) == ([], [], 1)  # fmt: skip


@pytest.mark.parametrize("stream", [None, "docket/d", "consensus/d.1"])
async def test_an_item_that_the_docket_did_not_decide_so_is_named(stream):
    docket = await Docket().decide()
    forged = next(e for e in docket.events if e.stream == "consensus/d.1" and e.version == 2)
    changed = replace(forged, data=replace(forged.data, reason="invented"))
    reader = log_of(*(changed if event is forged else event for event in docket.events))
    (found,), _, _ = await held(reader, docket.history, stream=stream, artifacts=docket.artifacts)
    assert (found.stream, found.event_id) == ("consensus/d.1", forged.id)


async def test_an_item_that_the_docket_never_had_is_named():
    docket = await Docket().decide()
    forged = [replace(e, stream="consensus/d.7") for e in docket.events if e.stream == "consensus/d.1"]
    reader = log_of(*docket.events, *forged)
    (found,), unvouched, _ = await held(reader, docket.history, artifacts=docket.artifacts)
    assert (found.stream, unvouched) == ("consensus/d.7", [])


async def test_items_whose_table_is_lost_have_nothing_to_compare_with_and_that_is_said():
    docket = await Docket().decide()
    foreign, unvouched, streams = await held(
        log_of(*docket.events), docket.history, artifacts=MemoryArtifacts()
    )
    assert (foreign, streams) == ([], 1)
    assert [one.stream for one in unvouched] == [f"consensus/d.{n}" for n in range(3)]
    assert "is not in this store" in unvouched[0].why


async def test_every_stream_has_one_writer():
    assert writer_of("consensus/q") == "consensus/q"
    assert writer_of("consensus/d.12") == writer_of("docket/d") == "docket/d"


async def test_a_writer_that_nobody_has_asked_yet_is_asked_by_name_unless_it_is_no_name():
    reader = log_of(*EVENTS, *deliberated("late"))
    reader.put(b"junk", b"\x1b[2J", partition=0)
    ledger = Ledger()
    await ledger.read(reader, lambda *_: None)
    authorship = Authorship(ledger)
    assert authorship.without_history() == {"consensus/q", "consensus/late"}
    authorship.wrote("consensus/q", EVENTS[0], durable=True)
    assert authorship.without_history() == {"consensus/late"}


def discard(reader, record, stream):
    letter = f"decisions.{record.partition}.{record.offset}"
    said = Discarded(letter, "decisions", record.partition, record.offset, stream, "Ada", "by hand")
    name = f"deadletters/{letter}"
    reader.append(Draft(name, "test", name, "run").events([said], AT), topic="deadletters")


async def test_a_forged_event_that_a_person_gave_up_needs_no_author():
    extra = replace(FORGED[1], version=len(EVENTS) + 1)
    reader = log_of(*EVENTS, extra)
    (records,) = reader.places.values()
    discard(reader, records[-1], "consensus/q")
    assert await held(reader, run_of(EVENTS)) == ([], [], 1)


async def test_a_forged_discard_does_not_hide_a_forged_event_that_readers_apply():
    reader = log_of(EVENTS[0], FORGED[1], *EVENTS[1:])
    (records,) = reader.places.values()
    discard(reader, records[1], "consensus/q")
    (found,), _, _ = await held(reader, run_of(EVENTS))
    assert found.event_id == FORGED[1].id
