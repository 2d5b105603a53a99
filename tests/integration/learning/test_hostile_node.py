"""What a node that lies can do to a cycle: cost it its own clients, and nothing else."""

import json
from contextlib import AsyncExitStack

import msgspec
from temporalio import activity
from temporalio.api.common.v1 import Payload
from temporalio.common import RawValue
from temporalio.worker import Worker

from activities.learning_tasks import TrainTask
from activities.training import Host, Training
from domain.learning.events import UpdatesCollected
from tests.fakes.journal import MemoryJournal
from tests.fakes.learning import data_of
from workflows.names import node_queue
from workflows.refusals import Refusals

NOT_A_NUMBER = float("nan")


def changed(**more):
    return lambda told: {"reports": [{**one, **more} for one in told["reports"]]}


def wordy(words):
    return lambda told: {
        "reports": [],
        "lost": [{"client": one["client"], "why": "failed", "reason": words} for one in told["reports"]],
    }


LIES = [
    (lambda _: {"reports": 5}, "the host's answer is none: reports: must be a list"),
    (wordy("x" * 1_000_000), "the host's answer is none: input: 10000"),
    (changed(loss=NOT_A_NUMBER), "the host's answer is none: input: holds NaN"),
    (wordy("\x1b[2J" + "x" * 1_000), "\\x1b[2Jxxx"),
    (changed(samples=10**400), "its report is impossible: samples"),
    (changed(sha256="../../../etc/hosts", raw_bytes=2**62), "its report is impossible: sha256, raw_bytes"),
    (changed(level="secure_sum_with_dp"), "its report is impossible: level"),
]
"""What the hosts after the first two answer, and what the record says of their clients."""


def lying(honest, answer):
    @activity.defn(name="train_round")
    async def train_round(task: TrainTask) -> RawValue:
        told = answer(msgspec.to_builtins(await honest.train_round(task)))
        return RawValue(Payload(metadata={"encoding": b"json/plain"}, data=json.dumps(told).encode()))

    return train_round


async def test_nodes_that_lie_cost_a_cycle_their_own_clients_alone(fleet):
    ten = await fleet(working=False, clients=9, hosts=9)
    journal = MemoryJournal()
    honest = Training(Host(data_of(ten.rows), ten.trainers, ten.artifacts, journal, ten.methods(journal)))
    async with AsyncExitStack() as held:
        for worker in (ten.orchestrating(), ten.hosting(0), ten.hosting(1)):
            await held.enter_async_context(worker)
        for number, (answer, _) in enumerate(LIES, start=2):
            queue, does = node_queue(ten.host(number)), [lying(honest, answer)]
            worker = Worker(ten.client, task_queue=queue, activities=does, interceptors=[Refusals()])
            await held.enter_async_context(worker)
        request = await ten.request(rounds=1, cohort={"share": 1, "minimum": 2, "size": 9, "attempts": 1})
        found = await ten.run(request)
    assert (found["participants"], found["privacy_level"]) == (2, "none")
    (heard,) = [e.data for e in await ten.stream(request["id"]) if isinstance(e.data, UpdatesCollected)]
    assert [report.client for report in heard.reports] == ["c000", "c001"]
    said = {loss.client: loss.reason for loss in heard.lost}
    for number, (_, reason) in enumerate(LIES, start=2):
        assert said[f"c{number:03}"].startswith(reason)
    assert max(map(len, said.values())) < 300
