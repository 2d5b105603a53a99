"""Kill -9 under learning cycles, at any step: they end with the same model, and count nothing twice."""

import os
import time
import uuid
from contextlib import asynccontextmanager
from dataclasses import replace
from random import Random

import pytest

from domain.learning.events import RoundAggregated, UpdatesCollected
from tests.faults.forking import Forks
from tests.faults.learning_chaos import ALONE, TOGETHER, Chaos, Strike, drawn
from tests.faults.learning_nodes import Nodes
from tests.faults.learning_rows import CARELESS
from tests.faults.learning_scene import MASKED, Scene
from tests.faults.learning_spending import charged_apart
from tests.faults.learning_truth import digests, faults, masked_twice
from tests.faults.whole_stack import WholeStack
from workers.artifacts import FsspecArtifacts
from workers.temporal_client import connect
from workflows.names import budget_stream

NODES = 3
FIRST = int(os.environ.get("FOLKMOOT_CHAOS_SEED") or 0)
LOUD = {"ledger": "kills", "budget": 1e4, "epsilon": 100, "delta": 1e-3}
KINDS = {
    "fedadam": {"strategy": {"name": "fedadam"}},
    "scaffold": {"strategy": {"name": "scaffold"}},
    "secure_mpc": {"privacy": {"method": "secure_mpc"}},
    "differential_privacy": {"privacy": {"method": "differential_privacy", **LOUD}},
    "hybrid": {"privacy": {"method": "hybrid", **LOUD}},
}
DOCTORED = [
    (lambda events: [*events[:2], *events[3:]], "the versions are"),
    (lambda events: [*events[:4], *events[1:]], "was opened 2 times"),
    (lambda events: [*events, events[-1]], "closed 2 times"),
    (lambda events: changed(events, UpdatesCollected, reports=twice), "was told of"),
    (lambda events: changed(events, UpdatesCollected, reports=twice), "what entered is not"),
    (lambda events: changed(events, RoundAggregated, round=lambda _: 1), "the models are those of rounds"),
    (lambda events: [*events[:5], *events[2:]], "entered 4 times"),
    (lambda events: changed(events, RoundAggregated, clients=lambda n: n + 1), "are said to have entered"),
    (lambda events: changed(events, RoundAggregated, digest=lambda _: "0" * 64), "of the undisturbed cycle"),
]
"""What a fault would leave on the log, and what is said of it."""


def twice(reports):
    return (*reports, reports[0])


def changed(events, kind, **fields):
    """The events with some fields of those of a kind changed."""
    return [
        replace(
            event,
            data=replace(event.data, **{name: of(getattr(event.data, name)) for name, of in fields.items()}),
        )
        if isinstance(event.data, kind)
        else event
        for event in events
    ]


@pytest.fixture(scope="module")
async def forks():
    async with Forks() as forks:
        yield forks


@asynccontextmanager
async def scene_on(stack, forks):
    nodes = Nodes(stack, forks, f"n{uuid.uuid4().hex[:6]}", NODES)
    try:
        await nodes.start()
        chaos = Chaos(stack, nodes, await connect(stack.settings))
        yield Scene(chaos, FsspecArtifacts(stack.settings.artifacts))
    finally:
        await nodes.stop()


@pytest.fixture(scope="module")
async def scene(whole, forks):
    async with scene_on(whole, forks) as scene:
        yield scene


@pytest.fixture(scope="module")
async def lasting(tmp_path_factory, forks):
    """A scene of all the long cycles, on a stack of its own."""
    stack = WholeStack(tmp_path_factory.mktemp("learning"))
    try:
        stack.start()
        async with scene_on(stack, forks) as scene:
            scene.rounds = 8
            yield scene
    finally:
        stack.stop()


@pytest.mark.timeout(300)  # a machine that is busy otherwise takes long to begin
async def test_kills_of_nodes_orchestrator_and_projector_leave_the_model_as_it_was(scene, seed, report):
    began, chance = time.monotonic(), Random(seed)  # noqa: S311 # moments, no secrets
    names = scene.chaos.nodes.names
    strikes = drawn(chance, 3, TOGETHER, ["orchestrator", "projector", chance.choice(names)])
    assert await scene.killed("secure_mpc", strikes, **KINDS["secure_mpc"]) == []
    again = await scene.judged()
    report({**scene.chaos.figures(), "records again": again, "s": round(time.monotonic() - began, 1)})
    assert len(scene.chaos.struck) == 3


async def test_a_node_that_trains_otherwise_after_a_kill_is_found_out(scene):
    careless = {"data": {"name": CARELESS}}
    strike = Strike(0.3, "train_round", scene.chaos.nodes.names[0])
    (found,) = await scene.killed(CARELESS, [strike], **careless)
    assert found.endswith("are not the models of the undisturbed cycle")


def test_a_key_that_masks_two_updates_is_found_out(tmp_path):
    for name, words, mask in (("one", b"1", b"k"), ("other", b"2", b"k"), ("third", b"3", b"l")):
        (tmp_path / name).write_bytes(words * 40 + words * 32 + mask * 32 + words * 32)
    assert masked_twice(tmp_path, [136]) == ["one key masks ['one', 'other']"]


async def test_a_charge_that_is_there_twice_or_not_at_all_is_found_out(scene):
    request = await scene.request(rounds=1, **KINDS["differential_privacy"])
    await scene.chaos.whole(request)
    cycle, charges = await scene.events(request["id"]), await scene.events(LOUD["ledger"], budget_stream)
    assert charged_apart(charges, cycle) == []
    assert len(charged_apart([*charges, charges[-1]], cycle)) == 1
    assert charged_apart(charges[:-1], cycle) == [f"{request['id']}/1/1/ was not paid for"]


async def test_what_would_be_wrong_in_a_record_is_found_out(scene):
    events, outcome = await scene.undoctored()
    models = digests(events)
    assert faults(events, outcome, models) == []
    for doctored, problem in DOCTORED:
        found = faults(doctored(events), outcome, models)
        assert any(problem in one for one in found), (problem, found)


@pytest.mark.chaos
@pytest.mark.timeout(600)
class TestForLong:
    """A hundred kills, four in a cycle, of every process and server but Temporal's own."""

    @pytest.fixture
    def scene(self, lasting):
        return lasting

    @pytest.mark.parametrize("run", range(25))
    async def test_a_hundred_kills_leave_every_model_as_it_was(self, scene, run, report):
        chance = Random(f"learning {FIRST + run}")  # noqa: S311 # as above
        kind = list(KINDS)[run % len(KINDS)]
        victims = ["orchestrator", "kafka", "postgres", "projector", *scene.chaos.nodes.names]
        steps = TOGETHER if kind in MASKED else ALONE
        strikes = drawn(chance, 4, steps, victims, paired=run % 2 == 1)
        assert await scene.killed(kind, strikes, **KINDS[kind]) == [], scene.chaos.struck[-4:]
        assert len(scene.chaos.struck) == 4 * (run + 1)
        again = await scene.judged()
        report({"seed": FIRST + run, "kind": kind, **scene.chaos.figures(), "records again": again})
