"""What a node does of a task: whose update comes in, whose does not and why, and what never leaves."""

# ruff: noqa: ARG002 # fakes have arguments that a port wants

import asyncio
import errno
import os
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from temporalio.testing import ActivityEnvironment

from activities import messages, update_file
from activities.learning_tasks import Course, Exchange, TrainTask
from activities.own_thread import MOST
from activities.privacy import plain
from activities.privacy.port import Session
from activities.privacy.registry import Methods
from activities.progress import Progress
from activities.stored_updates import ref_of
from activities.training import Host, Training
from activities.watch import OutOfTime, Unwanted, Watch
from domain.learning import tensor_file
from domain.learning.policy import LocalTraining, PrivacySpec, TrainerSpec
from domain.learning.trainers.logistic_regression import LogisticRegression
from domain.learning.wire import sent_schema
from domain.refusal import Refusal
from tests.fakes import toy_sum
from tests.fakes.artifacts import MemoryArtifacts
from tests.fakes.journal import MemoryJournal
from tests.fakes.learning import Rows, data_of

AT = datetime(2026, 11, 22, tzinfo=UTC)
SETTINGS = {"features": 3, "classes": 2}
SCHEMA = LogisticRegression().schema(SETTINGS)
MODEL = LogisticRegression().initial(SETTINGS, 1)
SECRET = 0.123456789


class Trainers:
    def __init__(self, trainer=None):
        self.trainer = trainer or LogisticRegression()

    def names(self):
        return ("logistic-regression",)

    def named(self, name):
        return self.trainer

    def code(self, name):
        return "code"


class Bent(LogisticRegression):
    """A plugin whose result is what a test says."""

    def __init__(self, bend):
        self.bend = bend

    def fit(self, model, rows, settings, plan, tell):
        return self.bend(super().fit(model, rows, settings, plan, tell), rows, tell)


def rows(seed, count=20):
    x = np.random.Generator(np.random.PCG64(seed)).normal(size=(count, 3)).astype("f4")
    return Rows({"x": x, "y": (x[:, 0] > 0).astype("i8")})


class Node:
    """A host with clients a and b, and the tasks it is given."""

    def __init__(self, trainer=None, methods=None):
        self.artifacts, self.journal = MemoryArtifacts(), MemoryJournal()
        self.rows = {"a": rows(1), "b": rows(2, 10)}
        self.methods = methods or Methods([plain.installed()])
        self.training = Training(
            Host(data_of(self.rows), Trainers(trainer), self.artifacts, self.journal, self.methods)
        )

    async def task(self, client="epochs", privacy=None, state=None, **more):
        spec = privacy or PrivacySpec()
        session = Session("c", 1, 1, 2, ("a", "b"), 2, {}, spec, sent_schema(SCHEMA, client))
        session = replace(session, aggregator_key=f"key of {session.salt}")
        return TrainTask(
            cycle="c",
            round=1,
            attempt=1,
            clients=more.pop("clients", ("a", "b")),
            trainer=TrainerSpec("logistic-regression", SETTINGS),
            code=more.pop("code", "code"),
            local=more.pop("local", LocalTraining(epochs=2, batch=5, seconds=30)),
            course=Course((), (), individual=True, client=client),
            privacy=spec,
            data="default",
            since=AT - timedelta(days=7),
            until=AT,
            seed=3,
            model=await self.artifacts.put(tensor_file.encode(MODEL)),
            state=None if state is None else await self.artifacts.put(tensor_file.encode(state)),
            session=await messages.keep_session(self.artifacts, session),
            **more,
        )

    async def train(self, task):
        return await ActivityEnvironment().run(self.training.train_round, task)

    async def update(self, report, client="epochs"):
        return update_file.decode(await self.artifacts.get(ref_of(report)), sent_schema(SCHEMA, client))


async def test_each_client_reports_its_update_and_the_same_task_gives_the_same_files():
    node = Node()
    task = await node.task()
    told = await node.train(task)
    assert told.lost == ()
    assert [(one.client, one.samples, one.steps, one.planned) for one in told.reports] == [
        ("a", 20, 8, 8),
        ("b", 10, 4, 4),
    ]
    assert [one.raw_bytes for one in told.reports] == [20 * 20, 10 * 20]
    update = await node.update(told.reports[0])
    assert (update.node_id, update.metadata.data_volume) == ("a", 20)
    assert update.metadata.time_range.until == AT
    assert await node.train(task) == told
    other = await node.train(replace(task, attempt=2))
    assert other.reports[0].sha256 != told.reports[0].sha256


async def test_a_client_that_fails_takes_nobody_with_it_and_tells_nothing_that_it_read():
    def fails(fitted, rows, tell):
        raise ValueError(f"row {SECRET} is odd")

    node = Node(Bent(fails))
    del node.rows["b"]
    told = await node.train(await node.task())
    assert [(one.client, one.why, one.reason) for one in told.lost] == [
        ("a", "failed", "ValueError"),
        ("b", "refused", "client was refused on the node"),
    ]
    assert str(SECRET) not in repr(told)


def told_rows(fitted, rows, tell):
    return replace(fitted, model={**fitted.model, "records": rows["x"]})


def told_other_shape(fitted, rows, tell):
    return replace(fitted, model={**fitted.model, "weight": rows["x"]})


def told_whole_numbers(fitted, rows, tell):
    return replace(fitted, model={name: array.astype("i8") for name, array in fitted.model.items()})


def told_nan(fitted, rows, tell):
    return replace(fitted, model={name: array * np.nan for name, array in fitted.model.items()})


def told_no_loss(fitted, rows, tell):
    return replace(fitted, loss=float("nan"))


@pytest.mark.parametrize("bend", [told_rows, told_other_shape, told_whole_numbers, told_nan, told_no_loss])
async def test_what_is_no_update_is_refused_on_the_node_and_nothing_is_stored(bend):
    node = Node(Bent(bend))
    task = await node.task()
    before = dict(node.artifacts._kept)
    told = await node.train(task)
    assert [(one.client, one.why) for one in told.lost] == [("a", "refused"), ("b", "refused")]
    assert node.artifacts._kept == before


async def test_a_method_that_lets_more_than_an_update_through_is_stopped_at_the_gate():
    class Leaks(plain.PlainNode):
        async def protect(self, session, update):
            raw = tensor_file.encode({"rows": np.ones(4)}, {"update": "{}"})
            return replace(await super().protect(session, update), content=raw)

    node = Node(methods=Methods([replace(plain.installed(), node=lambda _client: Leaks())]))
    told = await node.train(await node.task())
    assert {(one.why, one.reason[:7]) for one in told.lost} == {("refused", "update:")}


async def test_another_trainer_than_the_cycle_froze_trains_nobody():
    node = Node()
    with pytest.raises(Refusal, match="is code on this node, but the cycle froze older"):
        await node.train(await node.task(code="older"))


async def test_no_rows_in_the_time_that_trains_is_a_refusal():
    node = Node()
    node.rows["a"] = Rows({"x": np.zeros((0, 3), "f4"), "y": np.zeros(0, "i8")})
    told = await node.train(await node.task(clients=("a",)))
    assert [(one.client, one.reason) for one in told.lost] == [("a", "rows was refused on the node")]


async def test_a_gradient_is_what_one_step_over_all_rows_changes_at_rate_1():
    node = Node()
    told = await node.train(await node.task("gradient", clients=("a",)))
    assert told.reports[0].steps == 1
    update = update_file.together(await node.update(told.reports[0]))
    plan_free = LogisticRegression()
    near = {name: array - 1e-3 * -update[name] for name, array in MODEL.items()}
    was = plan_free.evaluate(MODEL, node.rows["a"].all, SETTINGS).loss
    assert plan_free.evaluate(near, node.rows["a"].all, SETTINGS).loss < was


async def test_a_trainer_with_a_gradient_of_its_own_is_asked_for_it():
    class Exact(LogisticRegression):
        def gradient(self, model, rows, settings):
            return {name: np.full(array.shape, 2, array.dtype) for name, array in model.items()}

    node = Node(Exact())
    told = await node.train(await node.task("gradient", clients=("a",)))
    update = update_file.together(await node.update(told.reports[0], "gradient"))
    assert {float(number) for array in update.values() for number in array.flat} == {-2.0}


async def test_control_variates_go_on_from_the_last_round_that_became_a_model():
    node = Node()
    first = await node.train(await node.task("control", clients=("a",)))
    moved = update_file.together(await node.update(first.reports[0], "control"))
    kept = tensor_file.decode(node.journal.entries["control/c/a/1/1"])[0]
    for name, array in MODEL.items():
        expected = -(moved[name]) / (8 * 0.1)
        assert np.allclose(kept[name], expected, atol=1e-6), array
        assert np.array_equal(moved[f"control.{name}"], kept[name])
    abandoned = await node.task("control", clients=("a",), attempts=())
    again = await node.train(replace(abandoned, attempt=2))
    fresh = update_file.together(await node.update(again.reports[0], "control"))
    own = tensor_file.decode(node.journal.entries["control/c/a/1/2"])[0]
    assert np.array_equal(fresh["control.bias"], own["bias"])
    later = await node.train(replace(abandoned, round=2, attempts=(1,)))
    second = update_file.together(await node.update(later.reports[0], "control"))
    after = tensor_file.decode(node.journal.entries["control/c/a/2/1"])[0]
    assert np.allclose(second["control.bias"], after["bias"] - kept["bias"], atol=1e-7)


async def test_updates_that_a_method_hides_say_no_loss_and_messages_are_answered_client_by_client():
    journal = MemoryJournal()
    node = Node(methods=Methods([toy_sum.installed(journal, {("hello", "b")})]))
    spec = PrivacySpec("secure_mpc")
    task = await node.task(privacy=spec)
    told = await node.train(task)
    assert [(one.level, one.loss) for one in told.reports] == [("secure_sum", None)] * 2
    inbox = await messages.keep(node.artifacts, {"a": b"", "b": b""})
    answered = await ActivityEnvironment().run(node.training.exchange, Exchange("hello", task.session, inbox))
    assert await messages.read(node.artifacts, answered.outbox) == {"a": b"hello"}
    assert [(one.client, one.reason) for one in answered.lost] == [("b", "step: b is silent at hello")]


class Full(MemoryJournal):
    """A disk that takes no more."""

    async def once(self, key, value):
        raise OSError("the journal /home/ann/journal.db cannot be used: database or disk is full")


async def test_a_journal_that_takes_nothing_loses_its_client_alone_and_does_not_say_where_it_lies():
    node = Node(methods=Methods([toy_sum.installed(Full(), set())]))
    task = await node.task(privacy=PrivacySpec("secure_mpc"))
    told = await node.train(task)
    assert [(one.client, one.why, one.reason) for one in told.lost] == [
        ("a", "failed", "OSError on the node"),
        ("b", "failed", "OSError on the node"),
    ]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES])
async def test_a_store_that_cannot_be_written_is_said_at_once_and_the_others_stop(number, monkeypatch):
    node = Node()
    task = await node.task(clients=("a", "b"))

    async def put(content):
        raise OSError(number, os.strerror(number), "/home/ann/artifacts/ab")

    monkeypatch.setattr(node.artifacts, "put", put)
    with pytest.raises(Refusal, match=f"^artifacts: {os.strerror(number)}, on the node$"):
        await node.train(task)
    await asyncio.sleep(0)
    assert [one for one in asyncio.all_tasks() if one.get_coro().__name__ == "_client"] == []


async def test_a_store_that_is_away_is_tried_again(monkeypatch):
    node = Node()
    task = await node.task()

    async def put(content):
        raise ConnectionResetError(errno.ECONNRESET, "reset")

    monkeypatch.setattr(node.artifacts, "put", put)
    with pytest.raises(ConnectionResetError):
        await node.train(task)


def watch(until=1.0, *, partial=False):
    clock = [0.0]
    return Watch(lambda: clock[0], until, partial, Progress(), clients=2), clock


def test_time_that_is_over_drops_a_client_or_keeps_what_it_reached():
    whole, clock = watch()
    tell = whole.begin("a")
    assert tell(1, 9)
    assert whole.progress.details == ["a", 1, 9, 1, 2]
    clock[0] = 1.0
    assert tell(9, 9)
    with pytest.raises(OutOfTime):
        tell(2, 9)
    with pytest.raises(OutOfTime):
        whole.begin("b")
    part, clock = watch(partial=True)
    tell = part.begin("a")
    clock[0] = 2.0
    assert not tell(2, 9)


def test_training_that_nobody_waits_for_ends_at_its_next_step():
    looking, _ = watch()
    tell = looking.begin("a")
    looking.stop()
    with pytest.raises(Unwanted):
        tell(1, 9)


async def test_clients_whose_time_is_over_are_late():
    node = Node()
    late = await node.train(await node.task(local=LocalTraining(epochs=2, batch=5, seconds=1e-9)))
    assert {one.why for one in late.lost} == {"late"}


async def test_a_cancelled_task_stops_its_thread():
    begun, ended = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def endless(fitted, rows, tell):
        loop.call_soon_threadsafe(begun.set)
        try:
            while tell(1, 1_000_000):
                pass
        finally:
            loop.call_soon_threadsafe(ended.set)

    node = Node(Bent(endless))
    env = ActivityEnvironment()
    task = await node.task(clients=("a",))
    running = asyncio.create_task(env.run(node.training.train_round, task))
    await begun.wait()
    env.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await asyncio.wait_for(ended.wait(), 5)


async def test_a_trainer_that_never_returns_is_late_and_takes_nobody_with_it_who_was_done(monkeypatch):
    monkeypatch.setattr("activities.watch.HANGS", 0.0)
    let_go = threading.Event()
    trained = iter("ab")

    def hangs(fitted, rows, tell):
        if next(trained) == "b":
            let_go.wait(20)
        return fitted

    node = Node(Bent(hangs))
    try:
        told = await node.train(await node.task(local=LocalTraining(seconds=0.3)))
        assert [one.client for one in told.reports] == ["a"]
        assert [(one.client, one.why) for one in told.lost] == [("b", "late")]
        assert node.training._threads.left == 1
    finally:
        let_go.set()
    async with asyncio.timeout(5):
        while node.training._threads.left:  # noqa: ASYNC110 # the thread gives no other signal
            await asyncio.sleep(0)


async def test_a_trainer_that_times_out_by_itself_has_failed_and_is_not_late():
    def slow(fitted, rows, tell):
        raise TimeoutError

    told = await (node := Node(Bent(slow))).train(await node.task())
    assert {(one.why, one.reason) for one in told.lost} == {("failed", "TimeoutError")}


async def test_a_node_full_of_trainings_that_never_ended_begins_no_more():
    node = Node()
    node.training._threads.left = MOST
    told = await node.train(await node.task())
    assert {(one.why, one.reason) for one in told.lost} == {("refused", "trainer was refused on the node")}
