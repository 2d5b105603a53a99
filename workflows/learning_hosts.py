"""Asks hosts to train and to pass messages, each on its own task queue; tells whose answer did not come."""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import (
    ActivityError,
    ApplicationError,
    TimeoutType,
    is_cancelled_exception,
)
from temporalio.exceptions import TimeoutError as TimedOut

with workflow.unsafe.imports_passed_through():
    from activities.learning import Learning
    from activities.learning_tasks import (
        Exchange,
        Exchanged,
        HostClients,
        Outbox,
        Route,
        Routed,
        TrainReports,
        TrainTask,
    )
    from domain.artifact import ArtifactRef
    from domain.learning.events import Loss, Lost, Member, Report
    from domain.strict_json import printable
    from workflows.heartbeats import ALIVE
    from workflows.learning_answers import Unreadable, answered, believed, losses, unread
    from workflows.names import TRAIN_ROUND, node_queue

TOGETHER = 100
"""Clients that one activity, and one child workflow, has at most."""
UNREACHABLE = timedelta(seconds=30)
"""How long a host may take to pick up what it is asked; a node that starts again is back before."""
GRACE = timedelta(seconds=5)
"""After the deadline, in which a host hands in what it has."""
PATIENCE = RetryPolicy(initial_interval=timedelta(milliseconds=200), maximum_interval=timedelta(seconds=10))
MESSAGE = timedelta(minutes=2)
"""For one message round on one host."""


def hosts_of(cohort: Iterable[Member]) -> tuple[HostClients, ...]:
    """The cohort by host, in parts of at most `TOGETHER` clients, in the order of names."""
    by_host: dict[str, list[str]] = {}
    for member in cohort:
        by_host.setdefault(member.host, []).append(member.client)
    return tuple(
        HostClients(host, tuple(sorted(clients)[start : start + TOGETHER]))
        for host, clients in sorted(by_host.items())
        for start in range(0, len(clients), TOGETHER)
    )


def batches(hosts: Sequence[HostClients]) -> Iterator[tuple[HostClients, ...]]:
    """Hosts in their order, in groups of at most `TOGETHER` clients."""
    batch: list[HostClients] = []
    for host in hosts:
        if sum(len(one.clients) for one in (*batch, host)) > TOGETHER:
            yield tuple(batch)
            batch = []
        batch.append(host)
    if batch:
        yield tuple(batch)


def only(hosts: Sequence[HostClients], clients: frozenset[str]) -> tuple[HostClients, ...]:
    """The hosts with those of their clients that are among `clients`."""
    left = (HostClients(one.host, tuple(c for c in one.clients if c in clients)) for one in hosts)
    return tuple(one for one in left if one.clients)


async def train(task: TrainTask, hosts: Sequence[HostClients]) -> TrainReports:
    """What became of every client of `hosts`; `task` without clients."""
    told = await asyncio.gather(*(_train(replace(task, clients=one.clients), one.host) for one in hosts))
    reports = tuple(report for one in told for report in one.reports)
    return TrainReports(reports, tuple(loss for one in told for loss in one.lost))


async def _train(task: TrainTask, host: str) -> TrainReports:
    bound = timedelta(seconds=task.local.seconds) + GRACE
    try:
        told = await answered(
            TRAIN_ROUND,
            task,
            TrainReports,
            task_queue=node_queue(host),
            schedule_to_start_timeout=min(UNREACHABLE, bound),
            schedule_to_close_timeout=bound,
            heartbeat_timeout=ALIVE,
            retry_policy=PATIENCE,
            summary=f"round {task.round}: {len(task.clients)} of {host} train",
        )
    except ActivityError as error:
        return TrainReports((), _lost(error, task.clients))
    except Unreadable as why:
        return TrainReports((), unread(why, task.clients))
    return believed(told, task.clients, task.privacy)


async def message_rounds(
    steps: Sequence[str],
    session: ArtifactRef,
    hosts: tuple[HostClients, ...],
    reports: tuple[Report, ...] = (),
) -> tuple[tuple[Outbox, ...], tuple[HostClients, ...], tuple[Loss, ...]]:
    """Hold the message rounds `steps` in order: the last answers, who is still in, and who is not.

    `reports`: of the updates that came in, where training is over. Where the messages cannot be passed on,
    everybody is lost.
    """
    outboxes: tuple[Outbox, ...] = ()
    lost: list[Loss] = []
    for number, step in enumerate(steps):
        routed: Routed = await workflow.execute_activity_method(
            Learning.route,
            Route(step, session, outboxes, hosts, () if number else reports),
            start_to_close_timeout=timedelta(minutes=10),
            heartbeat_timeout=ALIVE,
            retry_policy=PATIENCE,
            summary=f"{step}: pass the messages on",
        )
        if routed.lost:
            gone_for = (client for one in hosts for client in one.clients)
            lost += [Loss(client, "failed", printable(routed.lost, 200)) for client in gone_for]
            return (), (), tuple(lost)
        lost += losses(routed.dropped, {client for one in hosts for client in one.clients})
        asked = zip(hosts, routed.inboxes, strict=True)
        told = await asyncio.gather(*(_exchange(Exchange(step, session, box), one) for one, box in asked))
        lost += [loss for _, out in told for loss in out]
        answers = zip(hosts, told, strict=True)
        outboxes = tuple(Outbox(box, one.clients) for one, (box, _) in answers if box is not None)
        gone = {loss.client for loss in lost}
        hosts = only(hosts, frozenset(c for one in hosts for c in one.clients if c not in gone))
    return outboxes, hosts, tuple(lost)


async def train_hidden(task: TrainTask, hosts: tuple[HostClients, ...]) -> TrainReports:
    """As `train`, with the message rounds of a sum of their own before and after."""
    course = task.course
    _, hosts, lost = await message_rounds(course.before, task.session, hosts)
    told = await train(task, hosts)
    left = only(hosts, frozenset(report.client for report in told.reports))
    revealed, _, _ = await message_rounds(course.after, task.session, left, told.reports)
    return TrainReports(told.reports, (*lost, *told.lost), revealed)


async def _exchange(task: Exchange, host: HostClients) -> tuple[ArtifactRef | None, tuple[Loss, ...]]:
    try:
        told = await answered(
            "exchange",
            task,
            Exchanged,
            task_queue=node_queue(host.host),
            schedule_to_start_timeout=UNREACHABLE,
            schedule_to_close_timeout=MESSAGE,
            heartbeat_timeout=ALIVE,
            retry_policy=PATIENCE,
            summary=f"{task.step}: {len(host.clients)} of {host.host}",
        )
    except ActivityError as error:
        return None, _lost(error, host.clients)
    except Unreadable as why:
        return None, unread(why, host.clients)
    return told.outbox, losses(told.lost, set(host.clients))


def _lost(error: ActivityError, clients: Sequence[str]) -> tuple[Loss, ...]:
    """Why nothing came of a host.

    Raises:
        ActivityError: the workflow was cancelled.
    """
    if is_cancelled_exception(error):
        raise error
    why: Lost = "failed"
    cause, reason = error.cause, ""
    if isinstance(cause, TimedOut):
        why = "unreachable" if cause.type == TimeoutType.SCHEDULE_TO_START else "late"
    elif isinstance(cause, ApplicationError):
        why, reason = ("refused" if cause.non_retryable else "failed"), printable(cause.message, 200)
    return tuple(Loss(client, why, reason) for client in clients)
