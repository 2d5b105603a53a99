"""Whatever is wrong with a cycle, or with what keepers of models and ledgers are told: one line."""

import json

import pytest
from temporalio.client import RPCError, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from activities.learning import Control
from activities.privacy import plain
from activities.privacy.registry import Methods
from cli import learn_input
from domain.refusal import Refusal
from tests.fakes import toy_sum
from tests.fakes.artifacts import MemoryArtifacts
from tests.fakes.learning import Clients, Journal, Versions, candidate
from tests.integration.workflows.test_bad_input import TEXTS, raw, refusal
from workers.trainers import InstalledTrainers
from workflows.names import KEEP_BUDGET, KEEP_MODEL, RUN_LEARNING_CYCLE

SETTINGS = {"features": 3, "classes": 2}
TRAINER = {"name": "logistic-regression", "settings": SETTINGS}
GOOD = {"id": "bad", "model": "m", "trainer": TRAINER, "cohort": {"share": 1, "minimum": 2}}
UNREADABLE = {
    "an unknown field": ({"colour": "red"}, "colour: is not a field here"),
    "an unknown field within": ({"cohort": {"colour": "red"}}, "cohort.colour: is not a field here"),
    "rounds as text": ({"rounds": "3"}, "rounds: "),
    "rounds as a fraction": ({"rounds": 1.5}, "rounds: "),
    "no rounds": ({"rounds": 0}, "rounds: 0 is outside 1 to 1000"),
    "a yes that is 1": ({"scheduled": 1}, "scheduled: "),
    "share 0": ({"cohort": {"share": 0}}, "cohort.share: 0 is outside above 0 to 1"),
    "share above 1": ({"cohort": {"share": 1.01}}, "cohort.share: 1.01 is outside above 0 to 1"),
    "minimum above size": (
        {"cohort": {"minimum": 9, "size": 8}},
        "cohort.size: 8 clients cannot give 9 reports; raise it, or lower minimum",
    ),
    "a learning rate of 0": ({"local": {"learning_rate": 0}}, "local.learning_rate: "),
    "an unknown method": (
        {"privacy": {"method": "magic"}},
        "privacy.method: Unknown privacy method",
    ),
    "an epsilon below 0": ({"privacy": {"method": "hybrid", "epsilon": -1}}, "privacy.epsilon"),
    "an epsilon of no group": ({"privacy": {"epsilon": {"colour": 1}}}, "privacy.epsilon"),
    "no trainer": ({"trainer": None}, "trainer: must be an object"),
    "a trainer's setting that is a list": (
        {"trainer": {"name": "t", "settings": {"a": []}}},
        "trainer.settings",
    ),
    "a seed beyond what JSON keeps": ({"seed": 2**53}, "seed: "),
    "a model with slashes": ({"model": "../x"}, "model: "),
    "a NUL": ({"model": "a\u0000b"}, "input.model: "),
    "a run's length of 0": ({"history": 0}, "history: 0 is outside 10 to 10000"),
    "1 MB": ({"model": "m" * 1_000_000}, "input: "),
}
"""Refused where the input is read."""
IMPOSSIBLE = {
    "an unknown trainer": ({"trainer": {"name": "magic"}}, "'magic' is not installed"),
    "an unknown strategy": ({"strategy": {"name": "magic"}}, "strategy: there is no 'magic'; there are "),
    "a setting of another strategy": (
        {"strategy": {"name": "fedavg", "settings": {"mu": 0.1}}},
        "strategy.mu: is not a setting of fedavg; it has rate",
    ),
    "a setting out of range": ({"strategy": {"settings": {"rate": 0}}}, "strategy.rate: "),
    "a setting of another trainer": (
        {"trainer": {"name": "logistic-regression", "settings": {**SETTINGS, "hidden": 3}}},
        "hidden",
    ),
    "noise where there is none": ({"privacy": {"epsilon": 1.0}}, "privacy.epsilon: none adds no noise"),
    "updates that are hidden": (
        {"strategy": {"name": "median"}, "privacy": {"method": "secure_mpc"}},
        "median needs each client's update, which secure_mpc hides",
    ),
    "a small fleet under the defaults": (
        {"cohort": {}},
        "share 0.01 of 3 eligible allows 0, fewer than minimum 100: that needs more than 10,000 eligible",
    ),
}
"""Refused by what the workers have, before anything is written."""


@pytest.fixture
async def learning(alone):
    names = InstalledTrainers((), ()).names()
    control = Control(
        MemoryArtifacts(),
        InstalledTrainers((), ()),
        Methods([plain.installed(), toy_sum.installed(Journal())]),
        Clients([candidate(name, "h", trainers=names) for name in "abc"]),
        Versions(),
    )
    async with alone(control=control) as moot:
        yield moot


def refused_cycle(moot, *args, stream=None):
    return refusal(moot, *args, kind=RUN_LEARNING_CYCLE, stream=stream or moot.id("bad"))


async def test_a_cycle_that_cannot_be_read_fails_at_once_and_writes_nothing(moot, tmp_path):
    for data in TEXTS.values():
        assert await refused_cycle(moot, raw(data))
    for name, (change, said) in UNREADABLE.items():
        text = json.dumps({**GOOD, **change})
        line = await refused_cycle(moot, raw(text.encode()))
        assert line.startswith(said), (name, line)
        (file := tmp_path / "cycle.json").write_text(text)
        with pytest.raises(Refusal) as caught:  # the command says the same, and asks nobody
            learn_input.cycle(file)
        assert name == "a run's length of 0" or said.split(": ")[0] in str(caught.value), name
    assert await refused_cycle(moot, raw(b'{"rounds": NaN}'))
    assert moot.log.calls == 0


async def test_a_cycle_that_cannot_be_run_fails_at_once_and_writes_nothing(learning):
    for name, (change, said) in IMPOSSIBLE.items():
        cycle = {**GOOD, **change, "id": learning.id("bad")}
        line = await refused_cycle(learning, cycle, stream=f"learning/{cycle['id']}")
        assert said in line, (name, line)
    assert learning.log.calls == 0


async def test_5_mb_do_not_even_arrive(moot):
    with pytest.raises(RPCError, match="larger than max"):
        await refused_cycle(moot, {**GOOD, "model": "m" * 5_000_000})


VERSION = {
    "cycle": "c",
    "artifact": {"uri": "", "sha256": "0" * 64, "bytes": 1},
    "digest": "0" * 64,
    "parent": None,
    "participants": 1,
    "lineage": {"uri": "", "sha256": "0" * 64, "bytes": 1},
    "loss": None,
    "accuracy": None,
    "canary": 0,
    "tolerance": 0,
    "seed": 0,
}
TOLD = {
    "publish": [
        {**VERSION, "colour": "red"},
        {**VERSION, "canary": 2},
        {**VERSION, "participants": "1"},
        {**VERSION, "parent": "one"},
        {"cycle": "c"},
    ],
    "promote": [
        {"version": "v9.9", "reason": "r", "person": "ada"},
        {"version": "v1.0", "reason": " ", "person": "ada"},
        {"version": "v1.0", "reason": "r" * 3_000, "person": "ada"},
        {"version": "\u001b[31m", "reason": "r", "person": "ada"},
    ],
    "judge": [{"version": "v1.0", "results": []}],
}
CHARGE = {
    "id": "c/1",
    "subjects": ["ada"],
    "noise_multiplier": 5.0,
    "sampling": 1.0,
    "count": 1,
    "delta": 1e-5,
    "budget": 1.0,
}
CHARGES = [
    {"colour": "red"},
    {"subjects": []},
    {"subjects": ["ada", "b/c"]},
    {"noise_multiplier": 0},
    {"noise_multiplier": "5"},
    {"sampling": 1.5},
    {"count": -1},
    {"delta": 1},
    {"budget": 0},
    {"id": "c\n1"},
    {"ledger": "another"},
    {"subjects": [f"s{n}" for n in range(5_001)]},
]


async def rejected(handle, update, told):
    """The line with which it was rejected, before it became a part of the history."""
    with pytest.raises(WorkflowUpdateFailedError) as failed:
        await handle.execute_update(update, raw(json.dumps(told).encode()))
    cause = failed.value.cause
    assert isinstance(cause, ApplicationError)
    assert cause.non_retryable
    assert "\n" not in cause.message
    assert "\x1b" not in cause.message
    assert len(cause.message) < 400
    return cause.message


async def test_what_a_keeper_is_told_wrongly_is_rejected_in_one_line_and_it_goes_on(moot):
    model, ledger = moot.id("m"), moot.id("l")
    start, queue = moot.client.start_workflow, moot.queue
    keeper = await start(KEEP_MODEL, {"model": model}, id=f"model/{model}", task_queue=queue)
    books = await start(KEEP_BUDGET, {"ledger": ledger}, id=f"budget/{ledger}", task_queue=queue)
    for update, wrong in TOLD.items():
        for told in wrong:
            assert await rejected(keeper, update, told)
    for change in CHARGES:
        assert await rejected(books, "charge", {"ledger": ledger, **CHARGE, **change})
    for handle in (keeper, books):
        history = await handle.fetch_history()
        kinds = {event.WhichOneof("attributes") for event in history.events}
        assert "workflow_execution_update_accepted_event_attributes" not in kinds
        assert "activity_task_scheduled_event_attributes" not in kinds
        await handle.terminate()
    assert moot.log.calls == 0


@pytest.mark.parametrize("kind", [KEEP_MODEL, KEEP_BUDGET])
async def test_a_keeper_that_cannot_be_fails_at_once(moot, kind):
    for given in ({}, {"colour": "red"}, {"model": "m", "ledger": "l"}, {"model": 3}, {"ledger": 3}):
        assert await refusal(moot, given, kind=kind)
    for data in TEXTS.values():
        assert await refusal(moot, raw(data), kind=kind)
    assert moot.log.calls == 0
