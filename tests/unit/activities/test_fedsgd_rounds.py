"""Rounds of FedSGD through the activities of both sides: with everyone there, SGD in one process."""

from datetime import UTC, datetime

import numpy as np
import pytest
from temporalio.testing import ActivityEnvironment

from activities.learning import Control, Learning
from activities.learning_tasks import AggregateRound, PrepareCycle, TrainTask
from activities.privacy import plain
from activities.privacy.registry import Methods
from activities.training import Host, Training
from domain.learning import tensor_file
from domain.learning.commands import RunCycle
from domain.learning.policy import CohortPolicy, StrategySpec, TrainerSpec
from domain.learning.tensors import digest
from domain.learning.trainers.logistic_regression import LogisticRegression
from tests.fakes.artifacts import MemoryArtifacts
from tests.fakes.learning import Clients, Journal, Rows, Versions, candidate, data_of
from workers.trainers import InstalledTrainers

AT = datetime(2026, 11, 22, tzinfo=UTC)
SETTINGS = {"features": 5, "classes": 3}
RATE = 0.3
SIZES = {"a": 7, "b": 1, "c": 20, "d": 12}
ROUNDS = 3
METHODS = Methods([plain.installed()])


def rows_of(seed):
    draw = np.random.Generator(np.random.PCG64(seed))
    found = {}
    for client, size in SIZES.items():
        x = draw.normal(size=(size, 5)).astype("f4")
        found[client] = {"x": x, "y": np.argmax(x[:, :3], axis=1)}
    return found


def alone(model, rows):
    """SGD in one process, a micro-batch for each client; the digest after each step."""
    trainer, steps = LogisticRegression(), []
    for _ in range(ROUNDS):
        summed = {name: np.zeros(array.shape) for name, array in model.items()}
        for client in sorted(rows):
            for name, slope in trainer.gradient(model, rows[client], SETTINGS).items():
                summed[name] += SIZES[client] * slope.astype(np.float64)
        model = {
            name: (array.astype(np.float64) - RATE * (summed[name] / sum(SIZES.values()))).astype(array.dtype)
            for name, array in model.items()
        }
        steps.append(digest(model))
    return steps


async def federated(rows, **cohort):
    """The same by two hosts and an aggregator; the digest of each round's model, and the first one."""
    artifacts, trainers = MemoryArtifacts(), InstalledTrainers((), ())
    roster = Clients([candidate(name, host) for name, host in zip(rows, "ghgh", strict=True)])
    learning = Learning(Control(artifacts, trainers, METHODS, roster, Versions()))
    hosts = [
        Training(
            Host(data_of({one: Rows(rows[one]) for one in part}), trainers, artifacts, Journal(), METHODS)
        )
        for part in ("ac", "bd")
    ]
    request = RunCycle(
        "c",
        "m",
        TrainerSpec("logistic-regression", SETTINGS),
        rounds=ROUNDS,
        cohort=CohortPolicy(share=1, **cohort),
        strategy=StrategySpec("fedsgd", {"rate": RATE}),
    )
    prepared = await ActivityEnvironment().run(learning.prepare_cycle, PrepareCycle(request, AT))
    opening, drawn, model, found = prepared.opening, prepared.first, prepared.opening.model, []
    first = tensor_file.decode(await artifacts.get(model))[0]
    for number in range(1, ROUNDS + 1):
        asked, reports = {member.client for member in drawn.drawn.cohort}, []
        for host, part in zip(hosts, ("ac", "bd"), strict=True):
            task = TrainTask(
                cycle="c",
                round=number,
                attempt=1,
                clients=tuple(one for one in part if one in asked),
                trainer=request.trainer,
                code=opening.code,
                local=request.local,
                course=prepared.course,
                privacy=request.privacy,
                data="default",
                since=opening.since,
                until=opening.until,
                seed=0,
                model=model,
                state=None,
                session=drawn.session,
            )
            reports += (await ActivityEnvironment().run(host.train_round, task)).reports
        task = AggregateRound(
            opening=opening,
            round=number,
            attempt=1,
            model=model,
            state=None,
            session=drawn.session,
            reports=tuple(reversed(reports)),
            kept=(),
            revealed=(),
            last=number == ROUNDS,
        )
        made = await ActivityEnvironment().run(learning.aggregate_round, task)
        model, drawn = made.new.model, made.next
        found.append(made.new.digest)
    return found, first


@pytest.mark.parametrize("seed", [1, 2])
async def test_fedsgd_with_everyone_is_sgd_in_one_process_bit_for_bit(seed):
    rows = rows_of(seed)
    found, first = await federated(rows, minimum=4)
    assert found == alone(first, rows)
    assert len(set(found)) == ROUNDS


async def test_with_one_client_less_it_is_not():
    rows = rows_of(1)
    found, first = await federated(rows, minimum=3, size=3)
    assert all(one != other for one, other in zip(found, alone(first, rows), strict=True))
