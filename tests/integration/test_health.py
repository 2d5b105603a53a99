"""What `moot status` finds: each part by itself, and workers that run on other machines."""

import os
import time
from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest
from aiokafka import AIOKafkaProducer
from temporalio import workflow
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from cli.status import _human
from eventlog.topic_setup import ensure_topics
from eventlog.topics import kafka_name
from projections import schema
from workers import health, ready, settings
from workers.projecting import APPLICATION
from workflows.names import TASK_QUEUE


@workflow.defn(name="Nothing")
class Nothing:
    @workflow.run
    async def run(self) -> None:
        return


@pytest.fixture
def deployed(
    kafka: str, database: str, temporal: str, topic_prefix: str, tmp_path: Path
) -> settings.Settings:
    """Settings of servers that run, without a stack on this machine."""
    given = {"FOLKMOOT_KAFKA": kafka, "FOLKMOOT_DATABASE_URL": database, "TEMPORAL_ADDRESS": temporal}
    return settings.load(tmp_path, given | {"FOLKMOOT_TOPIC_PREFIX": topic_prefix})


def problems(report: health.Report) -> dict[str, str]:
    return {part.part: part.problem for part in report.parts}


async def test_servers_that_answer_are_ready_with_their_versions(deployed):
    await schema.upgrade(deployed.database_url)
    report = await health.examine(deployed)
    found = {part.part: part for part in report.parts}
    assert not any(found[part].problem for part in ("kafka", "postgres", "temporal"))
    assert found["postgres"].version.startswith("18.")
    assert found["temporal"].version


async def test_a_database_without_tables_names_the_command(deployed):
    assert "moot migrate" in problems(await health.examine(deployed))["postgres"]


async def test_a_projector_nowhere_is_a_problem_and_one_elsewhere_is_none(deployed):
    await schema.upgrade(deployed.database_url)
    assert "moot worker projector" in problems(await health.examine(deployed))["projector"]
    held = await asyncpg.connect(deployed.database_url, server_settings={"application_name": APPLICATION})
    try:
        assert not problems(await health.examine(deployed))["projector"]
    finally:
        await held.close()


async def test_a_worker_that_hangs_is_a_problem_though_its_process_lives(deployed):
    await schema.upgrade(deployed.database_url)
    ready.announce(deployed.data, "projector")
    assert not problems(await health.examine(deployed))["projector"]
    (file,) = (deployed.data / "run").glob("projector.*.ready")
    past = time.time() - ready.HUNG_SECONDS - 5
    os.utime(file, (past, past))
    found = await health.examine(deployed)
    assert not found.ready
    assert problems(found)["projector"].startswith("hangs: no sign of life for 2")


async def test_a_log_that_is_sealed_no_more_or_was_set_back_is_the_projectors_problem(deployed):
    await schema.upgrade(deployed.database_url)
    await ensure_topics(deployed.kafka, deployed.topic_prefix)
    held = await asyncpg.connect(deployed.database_url, server_settings={"application_name": APPLICATION})
    try:
        await held.execute("INSERT INTO sealing_stopped VALUES ('decisions', 2, 'another history', now())")
        found = await health.examine(deployed)
        assert not found.ready
        assert problems(found)["projector"].startswith("decisions/2 is sealed no more: another history; run")
        await held.execute(
            "TRUNCATE sealing_stopped; INSERT INTO projection_offset (projection, topic, partition,"
            " next_offset) VALUES ('consensus', 'decisions', 1, 7)"
        )
        problem = problems(await health.examine(deployed))["projector"]
        assert problem.startswith("decisions/1 was set back: consensus has read 7, it ends at 0; run `moot")
        await held.execute("UPDATE projection_offset SET refused = 'it is another log'")
        problem = problems(await health.examine(deployed))["projector"]
        assert problem.startswith("decisions/1 is projected no further: it is another log; run `moot audit")
    finally:
        await held.close()


async def test_an_orchestrator_elsewhere_is_known_by_its_polling(deployed):
    client = await Client.connect(deployed.temporal_address)
    worker = Worker(
        client, task_queue=TASK_QUEUE, workflows=[Nothing], workflow_runner=UnsandboxedWorkflowRunner()
    )
    async with worker:
        await client.execute_workflow(Nothing.run, id="health-nothing", task_queue=TASK_QUEUE)
        assert not problems(await health.examine(deployed))["orchestrator"]


@pytest.mark.parametrize(
    ("part", "setting", "address"),
    [
        ("kafka", "kafka", "127.0.0.1:1"),
        ("postgres", "database_url", "postgresql://folkmoot:secret@127.0.0.1:1/folkmoot"),
        ("temporal", "temporal_address", "127.0.0.1:1"),
    ],
)
async def test_a_server_that_is_away_is_named_and_hides_no_other(deployed, part, setting, address):
    await schema.upgrade(deployed.database_url)
    found = problems(await health.examine(replace(deployed, **{setting: address})))
    assert found[part]
    assert "secret" not in found[part]
    assert not any(found[other] for other in {"kafka", "postgres", "temporal"} - {part})


async def test_an_address_that_is_none_is_a_problem_and_no_password_is_said(deployed):
    wrong = replace(deployed, database_url="postgresql://folkmoot:secret@127.0.0.1:none/folkmoot")
    (postgres,) = [part for part in (await health.examine(wrong)).parts if part.part == "postgres"]
    assert postgres.address == "127.0.0.1:none"
    assert postgres.problem
    assert "secret" not in postgres.problem


async def test_the_lag_is_what_the_log_holds_and_the_projection_has_not_read(deployed):
    await schema.upgrade(deployed.database_url)
    await ensure_topics(deployed.kafka, deployed.topic_prefix)
    async with AIOKafkaProducer(bootstrap_servers=deployed.kafka) as producer:
        for _ in range(3):
            await producer.send_and_wait(kafka_name(deployed.topic_prefix, "fleet"), b"{}")
    own = await asyncpg.connect(deployed.database_url)
    await own.execute(
        "INSERT INTO projection_offset (projection, topic, partition, next_offset) "
        "VALUES ('consensus', 'fleet', 0, 1)"
    )
    await own.close()
    (lag,) = (await health.examine(deployed)).lags
    assert (lag.projection, lag.topic, lag.partition, lag.lag) == ("consensus", "fleet", 0, 2)
    (away,) = (await health.examine(replace(deployed, kafka="127.0.0.1:1"))).lags
    assert away.lag is None


async def test_records_that_are_parked_are_counted_and_the_way_to_them_named(deployed):
    await schema.upgrade(deployed.database_url)
    report = await health.examine(deployed)
    assert report.parked == 0
    assert "parked" not in _human(report)
    own = await asyncpg.connect(deployed.database_url)
    await own.execute(
        "INSERT INTO dead_letter VALUES ('decisions.0.7', 'consensus', 'decisions', 0, 7, 'consensus/a', 3,"
        " NULL, 'gap', 'is missing', now())"
    )
    await own.close()
    said = _human(await health.examine(deployed)).splitlines()[-1]
    assert said == "parked        1 record; see `moot deadletters list`"
