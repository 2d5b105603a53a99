"""Cohorts by the hundred: what a cycle writes to Temporal stays below its limits, run after run."""

import asyncio
import time
from pathlib import Path

import pytest

from audit.replay import replay_stream
from domain.stream import learning_stream
from eventlog.reader import LogReader
from workers.replaying import replay_histories
from workflows.learning_hosts import TOGETHER

LIMIT = 256 * 1024
"""Bytes of a payload; an event of a history holds its payloads and little else."""
SHORT = 60
"""Events after which a run hands over here; a round of 250 clients makes about 40."""


async def runs_of(client, name):
    """The histories of all runs of a workflow, the last one first."""
    found, run = [], None
    while True:
        handle = client.get_workflow_handle(name, run_id=run)
        history = await handle.fetch_history()
        found.append(history)
        run = history.events[0].workflow_execution_started_event_attributes.continued_execution_run_id
        if not run:
            return found


def check_sizes(histories):
    """The largest event of all, in bytes."""
    largest = max((event for one in histories for event in one.events), key=lambda event: event.ByteSize())
    assert largest.ByteSize() < LIMIT, f"event {largest.event_id} of type {largest.event_type}"
    return largest.ByteSize()


async def check_cycle(fleet, request, rounds, clients):
    """That what it left is bounded, one stream, and taken again without a difference; its largest event."""
    stream = learning_stream(request["id"])
    runs = await runs_of(fleet.client, stream)
    assert len(runs) > 1
    one_round = 2 * SHORT + clients // 4
    assert all(len(run.events) < SHORT + one_round for run in runs)
    parts = [
        part
        for number in range(1, rounds + 1)
        for shard in range(1, -(-clients // TOGETHER) + 1)
        for part in await runs_of(fleet.client, f"{stream}.{number}.1.{shard}")
    ]
    largest = check_sizes([*runs, *parts])
    events = await fleet.stream(request["id"])
    assert [event.version for event in events] == [*range(1, len(events) + 1)]
    assert len({event.run_id for event in events}) == len(runs)
    async with LogReader(*fleet.kafka) as reader:
        found = await replay_stream(reader, stream, fleet.grounds(reader))
        asked = fleet.client, reader, fleet.artifacts, stream
        histories = await replay_histories(*asked, lambda *_: None)
    assert (found.divergent, found.learned.unproven, found.learned.models) == ([], [], rounds)
    assert (histories.divergent, histories.foreign, histories.unvouched) == ({}, [], [])
    assert histories.replayed == len(runs)
    return largest


def peak_of(process):
    """The most memory that it ever had, in MB."""
    status = Path(f"/proc/{process}/status").read_text("ascii")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) // 1024


def cohort(count):
    return {"share": 1, "minimum": count, "size": count}


async def test_250_clients_train_in_shards_over_runs_that_hand_over_and_nothing_is_too_large(
    fleet, record_property
):
    many = await fleet(clients=250)
    await many.announce()
    request = await many.request(cohort=cohort(250), history=SHORT)
    found = await many.run(request)
    assert found["participants"] == 250
    assert found["insights_aggregated"] == 750
    largest = await check_cycle(many, request, 3, 250)
    record_property("largest event of a history, 250 clients, bytes", largest)


@pytest.mark.chaos
@pytest.mark.timeout(400)
async def test_1000_clients_of_two_processes_train_in_shards_in_bounded_memory(
    fleet, starting, record_property
):
    many = await fleet(clients=1_000, working=False)
    await many.announce()
    request = await many.request(cohort=cohort(1_000), history=SHORT)
    async with starting(many, "orchestrator") as process, starting(many, 0), starting(many, 1):
        begun = time.perf_counter()
        found = await asyncio.wait_for((await many.start(request)).result(), 150)
        took = (time.perf_counter() - begun) / 3
        peak = peak_of(process.pid)
    assert (found["participants"], found["insights_aggregated"]) == (1_000, 3_000)
    largest = await check_cycle(many, request, 3, 1_000)
    record_property("1,000 clients of two processes: seconds a round", f"{took:.2f}")
    record_property("1,000 clients of two processes: peak of the orchestrator, MB", peak)
    record_property("1,000 clients: largest event of a history, bytes", largest)
