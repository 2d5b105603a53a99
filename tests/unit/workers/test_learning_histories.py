"""Cycles, models, budgets and hosts held against what their workflows say they appended."""

from dataclasses import replace

import pytest
from temporalio.service import RPCError, RPCStatusCode

from activities.docket_slices import Slices
from audit.authorship import Authorship, concerning
from audit.ledger import Ledger
from domain.deadletters import Discarded
from domain.stream import Draft, writer_of
from eventlog.topics import topic_of
from tests.fakes.artifacts import MemoryArtifacts
from tests.fakes.histories import Run
from tests.fakes.log_reader import MemoryReader
from tests.unit.learning_events import START, aggregated, collected, opened, whole, written
from workers.histories import appended
from workers.replaying import _chain
from workflows.recording import request

STREAM = "learning/c"
EVENTS = written(whole())


def run_of(events, number=1):
    run = Run(events[0].stream)
    for event in events:
        run.did("append_events", request(topic_of(event.stream), [event]))
    run.events[0].workflow_execution_started_event_attributes.original_execution_run_id = f"run-{number}"
    return run


def log_of(*events):
    reader = MemoryReader()
    reader.counts |= {"learning": 4, "decisions": 4}
    for event in events:
        reader.append([event], topic_of(event.stream))
    return reader


async def held(reader, *histories, stream=None):
    ledger = Ledger(concerning(stream))
    await ledger.read(reader, lambda *_: None)
    authorship = Authorship(ledger)
    for history in histories:
        async for event, durable in appended(history, Slices(MemoryArtifacts()), ledger.wanted):
            authorship.wrote(history.workflow_id, event, durable=durable)
    foreign, unvouched = await authorship.findings(reader)
    return [await one.told(reader) for one in foreign], unvouched, authorship.streams


@pytest.mark.parametrize("stream", ["learning/c", "model/digits", "budget/default", "fleet/host-1"])
async def test_each_stream_of_learning_is_written_by_the_workflow_of_its_name(stream):
    events = written([opened(), collected()], stream)
    assert writer_of(stream) == stream
    assert await held(log_of(*events), run_of(events).history()) == ([], [], 1)
    extra = written([aggregated()], stream, first=3)
    (found,), _, _ = await held(log_of(*events, *extra), run_of(events).history(), stream=stream)
    assert (found.stream, found.event_id) == (stream, extra[0].id)
    assert found.problem.endswith("its workflow did not append it")
    _, (unvouched,), _ = await held(log_of(*events))
    assert (unvouched.stream, unvouched.events) == (stream, 2)


async def test_a_cycle_of_several_runs_is_vouched_for_by_all_of_them_together():
    first, second = run_of(EVENTS[:7]).history(), run_of(EVENTS[7:], 2).history()
    assert await held(log_of(*EVENTS), first, second) == ([], [], 1)
    (found,), _, _ = await held(log_of(*EVENTS), first)
    assert found.event_id == EVENTS[7].id


async def test_streams_of_one_offset_on_two_topics_are_told_apart():
    """What was given up on one topic hides nothing on the other."""
    extra = replace(EVENTS[-1], version=13, id=EVENTS[0].id)
    reader = log_of(*EVENTS, extra)
    ((_, partition),) = reader.places
    discard(reader, "decisions", partition)
    (found,), _, _ = await held(reader, run_of(EVENTS).history())
    assert found.problem.startswith("offset 12: ")
    discard(reader, "learning", partition)
    assert await held(reader, run_of(EVENTS).history()) == ([], [], 1)


def discard(reader, topic, partition):
    letter = f"{topic}.{partition}.12"
    said = Discarded(letter, topic, partition, 12, STREAM, "Ada", "by hand")
    name = f"deadletters/{letter}"
    reader.append(Draft(name, "test", name, "run").events([said], START), topic="deadletters")


class Runs:
    """Temporal with the runs of one workflow, of which each knows those beside it."""

    def __init__(self, count):
        self.histories = {}
        self.fetched = []
        for number in range(1, count + 1):
            run = run_of(EVENTS[:1], number)
            first, last = run.events[0], run.events[-1]
            if number > 1:
                started = first.workflow_execution_started_event_attributes
                started.continued_execution_run_id = f"run-{number - 1}"
            if number < count:
                last.workflow_execution_continued_as_new_event_attributes.new_execution_run_id = (
                    f"run-{number + 1}"
                )
            self.histories[f"run-{number}"] = run.history()

    def get_workflow_handle(self, name, run_id=None):
        assert name == STREAM
        self.asked = run_id or f"run-{len(self.histories)}"
        return self

    async def fetch_history(self):
        if self.asked not in self.histories:
            raise RPCError("gone", RPCStatusCode.NOT_FOUND, b"")
        self.fetched.append(self.asked)
        return self.histories[self.asked]


async def chained(runs, *asked):
    seen = set()
    return [history.run_id for run in asked for history in [h async for h in _chain(runs, STREAM, run, seen)]]


@pytest.mark.parametrize("asked", ["run-1", "run-2", "run-3", None])
async def test_a_chain_of_runs_is_followed_from_any_of_them_to_both_ends(asked):
    runs = Runs(3)
    assert sorted(await chained(runs, asked)) == ["run-1", "run-2", "run-3"]


async def test_no_run_is_given_twice_and_one_that_is_gone_is_passed_over():
    runs = Runs(3)
    assert len(await chained(runs, "run-2", "run-3", "run-1", None)) == 3
    del runs.histories["run-1"]
    assert sorted(await chained(runs, "run-3")) == ["run-2", "run-3"]
