"""A node process: one region's or edge's own reasoning, on its own task queue, near its own data."""

from collections.abc import Callable
from typing import Any

import structlog
from temporalio.client import Client
from temporalio.runtime import Runtime
from temporalio.worker import Worker

from activities.asking import Rules
from activities.conflict import LocalRule
from activities.evaluating import Evaluating
from activities.ports import Reasoner
from activities.reasoner import Reasoning
from activities.training import Host, Training
from domain.stream import check_id
from workers import context_rules, node_context, serving
from workers.artifacts import FsspecArtifacts
from workers.reasoners import load_reasoner
from workers.settings import Settings
from workers.temporal_client import connect
from workflows.heartbeats import Heartbeats
from workflows.names import node_queue
from workflows.refusals import Refusals


def worker(
    client: Client,
    node: str,
    reasoner: Reasoner | None = None,
    region: str | None = None,
    host: Host | None = None,
) -> Worker:
    """The worker on the task queue `node.<node>`; without a reasoner it abstains and says why.

    With a `host` it trains the clients which that has. Temporal shows the `region` in the worker's identity,
    `<node>@<region>`; it changes nothing else.
    """
    training = Training(host) if host else None
    learning: list[Callable[..., Any]] = [training.train_round, training.exchange] if training else []
    if host is not None:
        learning.append(Evaluating(host).evaluate_version)
    return Worker(
        client,
        task_queue=node_queue(node),
        activities=[
            Reasoning(reasoner or Rules()).answer_inquiry,
            LocalRule().apply_rule,
            *learning,
        ],
        interceptors=[Heartbeats(), Refusals()],
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
) -> None:
    """Answer inquiries for `node` until SIGTERM or SIGINT; with a region, keep its outbox, too.

    Args:
        settings: where Temporal is; reasoning needs neither Kafka nor Postgres.
        node: the id that voters of kind `reasoner` name.
        ready: told when inquiries are taken on.
        reasoner: `rules`, `model`, `person`, or `module:factory` of a `Reasoner`; without one it abstains.
        metrics: host:port for Prometheus.
        region: where the node is: shown in Temporal and in its log lines, and where Kafka is known, the
            region whose shared context it writes.

    Raises:
        Refusal: the id, the reasoner or the policy of the shared context cannot be used, or Temporal does not
            answer.
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
    made = worker(client, node, thinking, region)
    if region is None or rules is None or not settings.kafka:
        await serving.serve(made, ready)
        return
    meter = (runtime or Runtime.default()).metric_meter
    async with node_context.kept(settings, region, node, rules, meter):
        await serving.serve(made, ready)
