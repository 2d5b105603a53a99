"""The orchestrator process: every workflow, and the activities that need the log, store or database."""

import asyncio
import os
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Protocol

from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from activities.append import Append
from activities.budget import Budgeting
from activities.conflict import LocalRule, Opinions
from activities.docket import DocketWork
from activities.drift import Drift
from activities.evaluating import Panels
from activities.fleet import Announcing
from activities.learning import Control, Learning
from activities.learning_ports import Hosts, LargeArtifacts
from activities.mediation import Mediation
from activities.ports import EventLog, Reasoner, Reputations, Streams
from activities.reputation import Reputation
from activities.ruling import Ruling, SharedContext
from domain.context.residency import Residency
from eventlog.catalogue import BY_TYPE
from eventlog.writer import LogWriter
from workers import (
    absent,
    collecting,
    context_policy,
    partition_counts,
    privacy_methods,
    reasoners,
    search_attributes,
    serving,
    shared_context,
)
from workers.artifacts import FsspecArtifacts
from workers.budgets import TemporalBudgets
from workers.journal import SqliteJournal
from workers.models import TemporalModels
from workers.read_model import ReadModel
from workers.replaying import WORKFLOWS
from workers.roster import PostgresRoster
from workers.schedules import TemporalCycles
from workers.settings import Settings
from workers.temporal_client import connect
from workers.trainers import InstalledTrainers, own_trainers
from workflows import names
from workflows.heartbeats import Heartbeats
from workflows.refusals import Refusals


class ReadPorts(Streams, Reputations, Hosts, Protocol):
    """What the orchestrator asks of the read model."""


def worker(
    client: Client,
    log: EventLog,
    artifacts: LargeArtifacts,
    read_model: ReadPorts,
    mediator: Reasoner | None = None,
    *,
    context: SharedContext | None = None,
    residency: Residency | None = None,
    control: Control | None = None,
    task_queue: str = names.TASK_QUEUE,
    cached: int = serving.CACHED_WORKFLOWS,
) -> Worker:
    """The worker on the task queue `folkmoot`, put together from its ports, in production and in tests."""
    append = Append(log, BY_TYPE, read_model)
    docket = DocketWork(log, artifacts, read_model)
    drift = Drift(TemporalCycles(client, task_queue))
    control = control or absent.control(artifacts, TemporalModels(client, task_queue))
    learning = Learning(control)
    return Worker(
        client,
        task_queue=task_queue,
        workflows=WORKFLOWS,
        activities=[
            append.open_stream,
            append.append_events,
            Mediation(mediator).mediate,
            Reputation(read_model).mean_standings,
            LocalRule().apply_rule,
            Opinions(mediator).give_opinion,
            Ruling(log, context, residency).apply_ruling,
            docket.prepare_docket,
            docket.decide_slice,
            docket.close_docket,
            learning.prepare_cycle,
            learning.draw_round,
            learning.route,
            learning.keep_reports,
            learning.aggregate_round,
            learning.close_attempt,
            learning.publish_model,
            drift.detect_drift,
            drift.start_cycle,
            Panels(control.roster).canary_panel,
            Announcing(read_model).look_up_host,
            Budgeting().compose_budget,
        ],
        interceptors=[Heartbeats(), Refusals()],
        workflow_runner=UnsandboxedWorkflowRunner(),  # docs/decisions/sandbox-in-replays.md
        max_cached_workflows=cached,
        sticky_queue_schedule_to_start_timeout=serving.STICKY,
        graceful_shutdown_timeout=serving.GRACE,
    )


async def run(settings: Settings, ready: Callable[[], None], metrics: str | None = None) -> None:
    """Work until SIGTERM or SIGINT; `ready` is called once, when it polls.

    Args:
        settings: where Temporal, Kafka, Postgres and the artifacts are.
        ready: told when workflows are taken on.
        metrics: host:port at which the SDK's metrics are served for Prometheus; none by default.

    Raises:
        Refusal: a server does not answer, topics or search attributes are missing (`moot migrate`), or a
            topic was given other partitions than it was projected with.
    """
    async with AsyncExitStack() as held:
        client = await connect(settings, serving.runtime(metrics))
        await search_attributes.require(client)
        log = await held.enter_async_context(LogWriter(settings.kafka, settings.topic_prefix))
        await partition_counts.check_if_known(settings)
        read_model = await held.enter_async_context(ReadModel(settings.database_url))
        artifacts = FsspecArtifacts(settings.artifacts)
        marking = asyncio.create_task(collecting.keep_marked(artifacts, settings))
        held.callback(marking.cancel)
        context = await held.enter_async_context(shared_context.SharedContext(settings))
        journal = held.enter_context(SqliteJournal(settings.data / "aggregator" / "journal.db"))
        control = Control(
            artifacts,
            InstalledTrainers(own_trainers(os.environ)),
            privacy_methods.of_aggregator(journal, TemporalBudgets(client)),
            await held.enter_async_context(PostgresRoster(settings.database_url)),
            TemporalModels(client),
        )
        working = worker(
            client,
            log,
            artifacts,
            read_model,
            reasoners.mediator(settings.model, artifacts),
            context=context,
            residency=context_policy.load().residency,
            control=control,
        )
        await serving.serve(working, ready)
