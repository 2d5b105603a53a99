"""A node process: one region's or edge's own reasoning, on its own task queue, near its own data."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

import structlog
from temporalio.client import Client
from temporalio.runtime import Runtime
from temporalio.worker import Worker

from activities import training as local_training
from activities.asking import Rules
from activities.conflict import LocalRule
from activities.evaluating import Evaluating
from activities.learning_ports import LocalData, Trainers
from activities.ports import Reasoner
from activities.reasoner import Reasoning
from domain.refusal import Refusal
from domain.stream import check_id
from domain.strict_json import printable
from workers import context_rules, privacy_methods, serving, trainees
from workers.announcer import Announcer
from workers.artifacts import FsspecArtifacts
from workers.identity import public_half
from workers.membership import Membership
from workers.node_folder import claimed
from workers.reasoners import load_reasoner
from workers.settings import Settings
from workers.temporal_client import connect
from workers.trainees import Training
from workers.trainers import InstalledTrainers, own_trainers
from workers.training_metrics import TrainingMetrics
from workflows.heartbeats import Heartbeats
from workflows.names import node_queue
from workflows.refusals import Refusals

NOTHING = Training()

_log = structlog.get_logger(__name__)


def worker(
    client: Client,
    node: str,
    reasoner: Reasoner | None = None,
    region: str | None = None,
    host: local_training.Host | None = None,
) -> Worker:
    """The worker on the task queue `node.<node>`; without a reasoner it abstains and says why.

    With a `host` it trains the clients which that has. Temporal shows the `region` in the worker's identity,
    `<node>@<region>`; it changes nothing else.
    """
    learning: list[Callable[..., Any]] = []
    if host is not None:
        own = local_training.Training(host)
        learning = [own.train_round, own.exchange, own.close_attempt, Evaluating(host).evaluate_version]
    return Worker(
        client,
        task_queue=node_queue(node),
        activities=[Reasoning(reasoner or Rules()).answer_inquiry, LocalRule().apply_rule, *learning],
        interceptors=[Heartbeats(), Refusals(), TrainingMetrics()],
        identity=f"{node}@{region}" if region else None,
        graceful_shutdown_timeout=serving.GRACE,
    )


async def run(
    settings: Settings,
    node: str,
    ready: Callable[[], None],
    reasoner: str | None = None,
    metrics: str | None = None,
    *,
    region: str | None = None,
    training: Training = NOTHING,
    trainers: Trainers | None = None,
) -> None:
    """Answer inquiries for `node` until SIGTERM or SIGINT; with a region, keep its outbox, too.

    With data it is a member of the fleet as long as it runs.

    Args:
        settings: where Temporal is; reasoning needs neither Kafka nor Postgres.
        node: the id that voters of kind `reasoner` name.
        ready: told when inquiries are taken on.
        reasoner: `rules`, `model`, `person`, or `module:factory` of a `Reasoner`; without one it abstains.
        metrics: host:port for Prometheus.
        region: where the node is: shown in Temporal and in its log lines, and where Kafka is known, the
            region whose shared context it writes.
        training: for whom it trains; nobody without data.
        trainers: what it trains by, for composition roots of other programs; by default what is installed.

    Raises:
        Refusal: the id, the reasoner, the data or the policy of the shared context cannot be used, another
            process trains as this node, or Temporal does not answer.
    """
    check_id(node, "--id")
    if region is not None:
        check_id(region, "--region")
        structlog.contextvars.bind_contextvars(region=region)
    artifacts = FsspecArtifacts(settings.artifacts)
    thinking = load_reasoner(reasoner, settings.model, artifacts) if reasoner else None
    rules = context_rules.rules() if region else None
    runtime = serving.runtime(metrics)
    client = await connect(settings, runtime)
    meter = (runtime or Runtime.default()).metric_meter
    async with AsyncExitStack() as held:
        member = host = None
        if training.wanted:
            trained_by = trainers or _installed()
            member, host = held.enter_context(
                _member(client, settings, node, region, artifacts, training=training, trainers=trained_by)
            )
        made = worker(client, node, thinking, region, host)
        if region is not None and rules is not None and settings.kafka:
            from workers import node_context  # a node without Kafka, such as one that trains, does without it

            await held.enter_async_context(node_context.kept(settings, region, node, rules, meter))
        await serving.serve(made, ready, member)


def _installed() -> InstalledTrainers:
    found = InstalledTrainers(own_trainers(os.environ))
    for name, why in found.broken().items():
        _log.warning("trainer.unusable", trainer=name, why=why)
    return found


@contextmanager
def _member(
    client: Client,
    settings: Settings,
    node: str,
    region: str | None,
    artifacts: FsspecArtifacts,
    *,
    training: Training,
    trainers: Trainers,
) -> Iterator[tuple[Membership, local_training.Host]]:
    """The node in the fleet, and what it trains with, with its folder open."""
    if region is None:
        raise Refusal("--region", "is needed with data: cohorts are drawn by region")
    found = trainees.sources(node, training)
    training = replace(training, trainers=trainees.trainers(training.trainers, trainers))
    path = training.folder or settings.data / "nodes" / node
    with claimed(path, node) as folder:
        public = public_half(folder.identity)
        announcer = Announcer(client, folder.journal, node)
        look = partial(trainees.clients, found, training, path, public)
        host = local_training.Host(
            clients=partial(_rows_of, found),
            trainers=trainers,
            artifacts=artifacts,
            journal=folder.journal,
            methods=privacy_methods.of_node(folder.journal, folder.identity),
        )
        yield Membership(announcer, node, region, look, training.every), host


def _rows_of(found: Mapping[str, LocalData], client: str) -> LocalData:
    if client not in found:
        raise Refusal("client", f"this node does not train for {printable(client, 60)}")
    return found[client]
