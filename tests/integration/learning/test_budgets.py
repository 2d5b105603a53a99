"""Privacy ledgers on the real Temporal and Kafka: who races for a budget, and what a new run remembers."""

import asyncio
import uuid
from contextlib import asynccontextmanager

import pytest
from temporalio.client import Client

from domain.learning.budget.commands import Charge
from domain.learning.budget.events import BudgetCharged, BudgetOpened, BudgetRefused
from domain.learning.budget.state import CLOSED, fold_all
from domain.refusal import Refusal
from eventlog.codec import decode
from eventlog.reader import LogReader
from eventlog.topic_setup import ensure_topics
from eventlog.writer import LogWriter
from tests.fakes.artifacts import MemoryArtifacts
from tests.fakes.event_log import MemoryLog
from tests.fakes.read_model import MemoryReadModel
from workers import orchestrator
from workers.budgets import TemporalBudgets
from workers.replaying import replayer
from workflows.payloads import CONVERTER

DEADLINE = 30.0


class LosesAnswers(MemoryLog):
    """Writes, and fails to say so, each time for the first `lost` appends."""

    def __init__(self, lost):
        super().__init__()
        self.lost = lost

    async def append(self, topic, events):
        await super().append(topic, events)
        if self.lost:
            self.lost -= 1
            raise TimeoutError("the answer was lost")


@pytest.fixture
async def client(temporal):
    return await Client.connect(temporal, data_converter=CONVERTER)


@pytest.fixture
def working(client):
    """The ledgers of an orchestrator on a queue of the test's own."""

    @asynccontextmanager
    async def start(log, **options):
        queue = f"folkmoot-{uuid.uuid4().hex[:8]}"
        async with orchestrator.worker(client, log, MemoryArtifacts(), MemoryReadModel(), task_queue=queue):
            yield TemporalBudgets(client, queue, **options)

    return start


def charge(ledger, name, subjects=("ada", "ben"), noise=5.0, **changes):
    """One release on everybody; one of noise 5 fits a budget of 1, and two do not."""
    said = {"sampling": 1.0, "count": 1, "delta": 1e-5, "budget": 1.0} | changes
    return Charge(ledger, name, subjects, noise, **said)


def ledger_name():
    return f"wards-{uuid.uuid4().hex[:8]}"


async def on_kafka(kafka, prefix, stream):
    async with LogReader(kafka, prefix) as reader:
        return [decode(record.value) for record in await reader.stream(stream)]


async def test_of_two_cycles_that_race_for_one_budget_one_is_granted(working, kafka, topic_prefix):
    await ensure_topics(kafka, topic_prefix)
    ledger = ledger_name()
    asked = [charge(ledger, f"learning/{cycle}/1", ("ada", cycle)) for cycle in ("east", "west")]
    async with LogWriter(kafka, topic_prefix) as log, working(log) as budgets, asyncio.timeout(DEADLINE):
        answers = await asyncio.gather(*map(budgets.charge, asked))
        again = await asyncio.gather(*map(budgets.charge, asked))
    granted, refused = sorted(answers, key=lambda one: not one.granted)
    assert (granted.granted, refused.granted) == (True, False)
    assert [subject for subject, _ in refused.refused] == ["ada"]
    assert 0.5 < granted.epsilon < 1.0 < refused.refused[0][1]
    assert again == answers
    events = await on_kafka(kafka, topic_prefix, f"budget/{ledger}")
    assert [type(event.data) for event in events] == [BudgetOpened, BudgetCharged, BudgetRefused]
    state = fold_all(CLOSED, events)
    assert state.account("ada").epsilon == granted.epsilon
    assert {one.charged.granted for one in state.answers.values()} == {True, False}


async def test_a_new_run_remembers_what_was_spent_and_answered(working, client):
    ledger, log = ledger_name(), MemoryLog()
    async with working(log, charges=2) as budgets, asyncio.timeout(DEADLINE):
        said = [await budgets.charge(charge(ledger, f"r{n}", noise=8.0)) for n in range(7)]
        again = await budgets.charge(charge(ledger, "r3", noise=8.0))
        runs = {event.run_id for event in log.stream(f"budget/{ledger}")}
        with pytest.raises(Refusal, match="r0 was charged for another release"):
            await budgets.charge(charge(ledger, "r0", noise=8.0, budget=5.0))
        with pytest.raises(Refusal, match="budget: the ledger"):
            await budgets.charge(charge(ledger, "r9", noise=8.0, budget=5.0))
        for run in runs:  # in the sandbox, which finds what would be decided otherwise
            handle = client.get_workflow_handle(f"budget/{ledger}", run_id=run)
            await replayer().replay_workflow(await handle.fetch_history())
        await client.get_workflow_handle(f"budget/{ledger}").terminate()
        with pytest.raises(Refusal, match="was ended"):
            await budgets.charge(charge(ledger, "r8", noise=8.0))
    grants = [one.granted for one in said]
    assert grants == sorted(grants, reverse=True)
    assert 0 < sum(grants) < 7
    assert again == said[3]
    assert len(runs) > 2
    events = log.stream(f"budget/{ledger}")
    assert [event.version for event in events] == list(range(1, len(events) + 1))
    assert fold_all(CLOSED, events).account("ben").releases == sum(grants)


async def test_a_charge_whose_answer_was_lost_is_made_once_however_often_it_is_asked_for(working):
    ledger, log = ledger_name(), LosesAnswers(2)
    asked = charge(ledger, "learning/c/1/1", noise=8.0)
    async with working(log) as budgets, asyncio.timeout(DEADLINE):
        answers = await asyncio.gather(*(budgets.charge(asked) for _ in range(4)))
    assert len(set(answers)) == 1
    events = log.stream(f"budget/{ledger}")
    assert [type(event.data) for event in events] == [BudgetOpened, BudgetCharged]
    assert len(log.appended) > len(events)
    assert fold_all(CLOSED, events).account("ada").epsilon == answers[0].epsilon
