"""A node process: one region's or edge's own reasoning, on its own task queue, near its own data."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import structlog
from temporalio.client import Client
from temporalio.runtime import Runtime
from temporalio.worker import Worker

from activities.asking import Rules
from activities.conflict import LocalRule
from activities.learning_ports import LocalData
from activities.ports import Reasoner
from activities.reasoner import Reasoning
from domain.refusal import Refusal
from domain.stream import check_id
from workers import context_rules, node_context, serving, trainees
from workers.announcer import Announcer
from workers.artifacts import FsspecArtifacts
from workers.identity import public_half
from workers.membership import Membership
from workers.node_folder import NodeFolder, claimed
from workers.reasoners import load_reasoner
from workers.settings import Settings
from workers.temporal_client import connect
from workers.trainees import Training
from workers.training_metrics import TrainingMetrics
from workflows.heartbeats import Heartbeats
from workflows.names import node_queue
from workflows.refusals import Refusals

NOTHING = Training()


def worker(
    client: Client,
    node: str,
    reasoner: Reasoner | None = None,
    region: str | None = None,
    training: Sequence[Callable[..., Any]] = (),
) -> Worker:
    """The worker on the task queue `node.<node>`; without a reasoner it abstains and says why.

    `training`: the activities that train for the node's clients. Temporal shows the `region` in the worker's
    identity, `<node>@<region>`; it changes nothing else.
    """
    return Worker(
        client,
        task_queue=node_queue(node),
        activities=[Reasoning(reasoner or Rules()).answer_inquiry, LocalRule().apply_rule, *training],
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
        member = None
        if training.wanted:
            member = held.enter_context(_joined(client, settings, node, region, training))
        made = worker(client, node, thinking, region)  # the activities that train are made of `member`
        if region is not None and rules is not None and settings.kafka:
            await held.enter_async_context(node_context.kept(settings, region, node, rules, meter))
        await serving.serve(made, ready, member.membership if member else None)


@dataclass(frozen=True, slots=True)
class Member:
    """A node of the fleet: each client's data, the folder that is open, and what announces them."""

    sources: Mapping[str, LocalData]
    folder: NodeFolder
    membership: Membership


@contextmanager
def _joined(
    client: Client, settings: Settings, node: str, region: str | None, training: Training
) -> Iterator[Member]:
    if region is None:
        raise Refusal("--region", "is needed with data: cohorts are drawn by region")
    found = trainees.sources(node, training)
    path = training.folder or settings.data / "nodes" / node
    with claimed(path, node) as folder:
        public = public_half(folder.identity)
        announcer = Announcer(client, folder.journal, node)
        look = partial(trainees.clients, found, training, path, public)
        yield Member(found, folder, Membership(announcer, node, region, look, training.every))
