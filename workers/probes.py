"""One question to each server: is it there, which version, and what does it know of the rest?"""

import asyncio
from datetime import UTC, datetime
from typing import Any

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest, GetSystemInfoRequest

from domain.refusal import Refusal
from eventlog.connection import addresses, in_clear
from eventlog.reader import LogReader
from projections.connection import NOT_MIGRATED
from projections.connection import connect as connect_to
from projections.standing import report
from workers.embedded.kafka import answers
from workers.projecting import APPLICATION
from workers.settings import Settings
from workers.temporal_client import connect
from workflows.names import TASK_QUEUE

ANSWER_WITHIN = 1.5  # seconds for one server
_ENDS_WITHIN = 1.0  # seconds for all partitions, asked of a Kafka that has just answered
_POLLED_WITHIN = 70.0  # seconds: a worker's poll lasts up to 60


async def temporal(settings: Settings) -> dict[str, Any]:
    """Its `version`, and how many `orchestrator`s have polled lately."""
    client = await connect(settings)
    info = await client.workflow_service.get_system_info(GetSystemInfoRequest())
    queue = await client.workflow_service.describe_task_queue(
        DescribeTaskQueueRequest(
            namespace=client.namespace,
            task_queue=TaskQueue(name=TASK_QUEUE),
            task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
        )
    )
    now = datetime.now(UTC)
    ages = [(now - poller.last_access_time.ToDatetime(UTC)).total_seconds() for poller in queue.pollers]
    return {"version": info.server_version, "orchestrator": sum(age < _POLLED_WITHIN for age in ages)}


async def kafka(bootstrap: str) -> dict[str, Any]:
    """Nothing but whether it answers: Kafka does not state its version."""
    if not in_clear(bootstrap):
        async with LogReader(bootstrap):  # a handshake and a metadata request, or the reason why not
            return {}
    # Any one of the bootstrap addresses is enough for a client, so it is for us.
    servers = addresses(bootstrap)
    asked = [asyncio.to_thread(answers, host, port, ANSWER_WITHIN / 2) for host, port in servers]
    return {} if any(await asyncio.gather(*asked)) else {"problem": "does not answer"}


async def postgres(url: str) -> dict[str, Any]:
    """Its `version`, where the projections stand, the last checkpoint, and how many `projector`s hold on."""
    connection = await connect_to(url, within=ANSWER_WITHIN)
    try:
        version = await connection.fetchval("SHOW server_version")
        known = await report(connection, APPLICATION)
    except NOT_MIGRATED:
        return {"version": version, "problem": "its tables are missing: run `moot migrate`"}
    finally:
        connection.terminate()  # at once: a polite goodbye may wait for a server that is away by now
    return {"version": version, "projector": known.pop("clients"), **known}


async def ends(settings: Settings, offsets: list[Any]) -> dict[tuple[str, int], int]:
    """Where each partition of `offsets` ends now; nothing when Kafka cannot be asked."""
    wanted = {(row["topic"], row["partition"]) for row in offsets}
    try:
        async with asyncio.timeout(_ENDS_WITHIN), LogReader(settings.kafka, settings.topic_prefix) as reader:
            return {place: (await reader.beginning_and_end(*place))[1] for place in wanted}
    except (TimeoutError, OSError, Refusal):
        return {}
