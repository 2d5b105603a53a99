"""TrainShard: a part of a large cohort, in a history of its own."""

from dataclasses import dataclass

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.learning_tasks import HostClients, TrainReports, TrainTask
    from workflows import names
    from workflows.learning_hosts import train, train_hidden


@dataclass(frozen=True, slots=True)
class Shard:
    """Which hosts train which clients; `task` says what, and names no clients."""

    task: TrainTask
    hosts: tuple[HostClients, ...]


@workflow.defn(name=names.TRAIN_SHARD)
class TrainShard:
    """Asks its hosts, and hands what they say to the cycle, which alone writes the stream."""

    @workflow.run
    async def run(self, shard: Shard) -> TrainReports:
        """Takes what a cycle gives it; it is not meant to be started by hand."""
        course = shard.task.course
        if course.before or course.after:
            return await train_hidden(shard.task, shard.hosts)
        return await train(shard.task, shard.hosts)
