"""`moot learn` and `moot audit` on a cycle that really runs: started, watched, shown, listed, taken again."""

import asyncio
import json
from contextlib import asynccontextmanager
from datetime import timedelta

import asyncpg
import pytest
from temporalio.client import WorkflowExecutionStatus

from cli import learn_input, learn_run, learn_view
from cli.audit_replay import _replay
from domain.learning import tensor_file
from domain.learning.commands import RunCycle
from domain.refusal import Refusal
from eventlog.reader import LogReader
from projections.engine import PartitionProjector
from tests.integration.projections.bed import Seen, until
from workers import settings
from workflows.payloads import read_input


@asynccontextmanager
async def projecting(fleet, database):
    """All partitions of the topic, followed as they grow."""
    async with LogReader(*fleet.kafka) as reader:
        connections = [await asyncpg.connect(database) for _ in await reader.partitions("learning")]
        async with asyncio.TaskGroup() as group:
            following = [
                group.create_task(PartitionProjector(reader, one, "learning", number, Seen()).follow())
                for number, one in enumerate(connections)
            ]
            yield
            for task in following:
                task.cancel()
        for one in connections:
            one.terminate()


@pytest.fixture
def named(monkeypatch, temporal, kafka, topic_prefix, tables, tmp_path):  # noqa: PLR0917 # fixtures
    """Where the commands find everything."""
    where = {
        "TEMPORAL_ADDRESS": temporal,
        "FOLKMOOT_DATABASE_URL": tables,
        "FOLKMOOT_KAFKA": kafka,
        "FOLKMOOT_TOPIC_PREFIX": topic_prefix,
        "FOLKMOOT_ARTIFACTS": str(tmp_path / "artifacts"),
        "FOLKMOOT_DATA": str(tmp_path),
    }
    for name, value in where.items():
        monkeypatch.setenv(name, value)
    return tables


async def test_a_cycle_is_started_with_a_holdout_watched_shown_listed_and_taken_again(
    fleet, named, monkeypatch, tmp_path
):
    ten = await fleet()
    monkeypatch.setattr("workflows.names.TASK_QUEUE", f"folkmoot-{ten.name}")
    await ten.announce()
    asked = await ten.request(rounds=2, holdout=None)
    file, rows = tmp_path / "cycle.json", tmp_path / "rows.safetensors"
    file.write_text(json.dumps(asked))
    rows.write_bytes(tensor_file.encode(ten.holdout))
    request, seen = learn_input.cycle(file), []
    async with projecting(ten, named):
        started = await learn_run.start(request, learn_input.rows(rows))
        assert started["workflow_id"] == f"learning/{asked['id']}"
        with pytest.raises(Refusal, match="was started before"):
            await learn_run.start(request, None)
        await asyncio.wait_for(learn_run.watch(asked["id"], seen.append, len), 40)
        row = await learn_run.show(asked["id"])
    assert (seen[-1]["status"], row["status"], row["published"]) == ("closed", "closed", "v1.0")
    assert [one["accuracy"] > 0 for one in row["state"]["rounds"]] == [True, True]
    assert [one["stream"] for one in await learn_run.listed("closed", asked["model"], 5)] == [row["stream"]]
    assert "Published as v1.0, model digest" in learn_view.shown(row, 100)
    found, histories = await _replay(settings.load(), row["stream"], log_only=False)
    assert (found.divergent, found.learned.models, histories.foreign) == ([], 2, [])


async def test_a_schedule_starts_a_first_cycle_at_once_under_an_id_of_its_own(fleet, named, monkeypatch):
    ten = await fleet()
    monkeypatch.setattr("workflows.names.TASK_QUEUE", f"folkmoot-{ten.name}")
    asked = await ten.request(rounds=1)
    request = read_input(RunCycle, json.dumps(asked))
    planned = await learn_run.schedule(request, None, timedelta(days=7))
    handle = ten.client.get_schedule_handle(planned["schedule_id"])
    try:
        assert planned["new"]
        again = await learn_run.schedule(request, None, timedelta(days=7))
        assert (again["new"], again["schedule_id"]) == (False, planned["schedule_id"])
        begun = f'WorkflowType = "RunLearningCycle" AND WorkflowId STARTS_WITH "learning/{asked["id"]}-"'
        await until(lambda: closed(ten.client, begun), "the first cycle closed")
    finally:
        await handle.delete()


async def closed(client, query):
    runs = [run async for run in client.list_workflows(query)]
    return any(run.status is WorkflowExecutionStatus.COMPLETED for run in runs)


async def test_a_cycle_that_nobody_knows_is_refused_by_every_command_that_asks_for_one(fleet, named):
    await fleet(working=False)
    for ask in (learn_run.show("absent"), learn_run.watch("absent", print, len)):
        with pytest.raises(Refusal, match="learning/absent is not known; see `moot learn list`"):
            await ask
    assert await learn_run.listed(None, None, 5) == []
