"""`moot demo learning`: how its data is dealt out, what its liars send, what its tables say."""

import asyncio
from types import SimpleNamespace

import numpy as np
import pytest

from cli import demo_learning, demo_learning_faults
from cli import demo_learning_data as data
from cli import demo_learning_report as report
from cli.demo_learning_fleet import Node, megabytes
from cli.demo_learning_node import STRENGTH, Lying
from cli.demo_learning_runs import NOT_HERE, _refused
from domain.learning.strategies import registry
from domain.learning.trainer import LocalPlan
from domain.refusal import Refusal
from workers.data_files import read_table
from workers.trainers import InstalledTrainers

DIGITS = np.repeat(np.arange(10), 180)[:1797]
PIXELS = np.arange(1797 * 64, dtype=np.float32).reshape(1797, 64)
TINY = {"features": 4, "classes": 2}


def test_every_row_is_one_nodes_or_held_out_and_a_node_has_few_digits():
    own, held = data.dealt(PIXELS, DIGITS)
    assert own.keys() == data.names().keys()
    assert set(data.names().values()) == set(data.REGIONS)
    rows = np.concatenate([held["x"], *(one["x"] for one in own.values())])
    assert sorted(rows[:, 0]) == sorted(PIXELS[:, 0])
    assert len(held["y"]) == data.HOLDOUT
    assert len(set(held["y"])) == 10
    assert max(len(set(one["y"])) for one in own.values()) <= 4
    again, _ = data.dealt(PIXELS, DIGITS)
    assert all((again[name]["x"] == own[name]["x"]).all() for name in own)


def test_a_nodes_file_is_read_as_it_was_dealt(tmp_path):
    own, _ = data.dealt(PIXELS, DIGITS)
    files = data.write(tmp_path / "rows", own)
    table = read_table(files["eu-00"])
    assert (table.rows["x"] == own["eu-00"]["x"]).all()
    assert table.usable.all()


def test_a_liar_sends_the_opposite_under_the_honest_trainers_name_and_code():
    honest = InstalledTrainers()
    lying = Lying(honest)
    name = "logistic-regression"
    assert (lying.names(), lying.code(name)) == (honest.names(), honest.code(name))
    told, lies = honest.named(name), lying.named(name)
    assert (lies.name, lies.abilities, lies.schema(TINY)) == (told.name, told.abilities, told.schema(TINY))
    model = lies.initial(TINY, 3)
    rows = {"x": np.eye(4, dtype=np.float32), "y": np.array([0, 1, 0, 1])}
    plan = LocalPlan(epochs=2, batch=2, learning_rate=0.5, seed=1)
    good, bad = (one.fit(model, rows, TINY, plan, lambda _done, _planned: True) for one in (told, lies))
    for tensor, given in model.items():
        assert np.abs(good.model[tensor] - given).max() > 0
        turned = given - STRENGTH * (good.model[tensor] - given)
        np.testing.assert_allclose(bad.model[tensor], turned, rtol=1e-5)
    assert lies.evaluate(model, rows, TINY) == told.evaluate(model, rows, TINY)


def test_a_node_that_shall_lie_is_started_as_the_demos_own_from_then_on(tmp_path):
    node = Node("eu-00", "eu", tmp_path / "rows.npz", tmp_path)
    words = [str(word) for word in node.prepare().command]
    assert words[-8:] == [
        "worker",
        "node",
        "--id",
        "eu-00",
        "--region",
        "eu",
        "--data",
        f"{tmp_path}/rows.npz",
    ]
    node.lies = True
    assert "cli.demo_learning_node" in node.prepare().command
    assert not node.ready(1)


def test_the_liars_and_dropouts_are_nodes_and_the_robust_rule_bears_as_many():
    assert set(demo_learning_faults.DROPOUTS) < set(demo_learning_faults.LIARS) < data.names().keys()
    assert demo_learning_faults.KILLED in data.names().keys() - set(demo_learning_faults.LIARS)
    spec = demo_learning.ROBUST.more["strategy"]
    registry.named(spec["name"]).check(spec["settings"], 16)
    assert spec["settings"]["byzantine"] == len(demo_learning_faults.LIARS) == 4


def event(number, kind, **attributes):
    name = "scheduled" if kind == demo_learning_faults._SCHEDULED else "completed"
    return SimpleNamespace(
        event_id=number,
        event_type=kind,
        **{f"activity_task_{name}_event_attributes": SimpleNamespace(**attributes)},
    )


def asked(number, activity, queue):
    return event(
        number,
        demo_learning_faults._SCHEDULED,
        activity_type=SimpleNamespace(name=activity),
        task_queue=SimpleNamespace(name=queue),
    )


def done(number):
    return event(1_000 + number, demo_learning_faults._COMPLETED, scheduled_event_id=number)


def test_a_node_has_dealt_when_its_last_message_before_training_of_that_round_is_in():
    history = []
    for number in range(1, 9):
        history += [asked(number, "exchange", "node.eu-00"), done(number)]
    history += [
        asked(20, "train_round", "node.us-01"),
        done(20),
        asked(21, "exchange", "node.us-01"),
        done(21),
    ]

    class Handle:
        def fetch_history_events(self, *, wait_new_event):
            assert wait_new_event

            async def events():
                for one in history:
                    yield one

            return events()

    async def found(last):
        return [name async for name in demo_learning_faults._dealt(Handle(), last)]

    assert asyncio.run(found(2)) == ["eu-00"]  # 3 + 2 messages of round 1, 3 of round 2
    history.pop(15)
    assert asyncio.run(found(2)) == []


RUN = {
    "title": "FedAvg",
    "cycle": "fedavg-1",
    "insights_aggregated": 38,
    "privacy_level": "none",
    "digest": "ab" * 32,
    "version": "v1.0",
    "seconds": 1.25,
    "attempts": [{"lost": {"late": 2}}, {"lost": {}}],
    "evolution_metrics": [
        {"round": 1, "loss": 2.0, "accuracy": 0.5, "sent_bytes": 1024, "raw_bytes": 4096, "epsilon": None},
        {"round": 2, "loss": 1.0, "accuracy": 0.75, "sent_bytes": 2048, "raw_bytes": 4000, "epsilon": 2.5},
    ],
}
NOT_RUN = {"title": "hidden", "refused": f"x {NOT_HERE}"}


def test_the_table_has_sums_of_what_was_sent_and_what_was_refused_by_name():
    told = report.figures(RUN)
    assert (told["sent_bytes"], told["raw_bytes"], told["lost"], told["rounds"]) == (3072, 4096, 2, 2)
    lines = report.table({"one": RUN, "two": NOT_RUN}).splitlines()
    assert lines[1].split() == [
        *(
            "FedAvg",
            "2",
            "0.7500",
            "1.0000",
            "38",
            "3.0",
            "KiB",
            "4.0",
            "KiB",
            "2.500",
            "abababababab",
            "1.2",
        ),
    ]
    assert lines[2].strip() == f"hidden: x {NOT_HERE}"
    assert report.figures(NOT_RUN) == NOT_RUN


def test_only_a_method_that_is_missing_is_passed_over():
    assert NOT_HERE in _refused(ValueError(f"privacy.method: hybrid {NOT_HERE}; there is none"))
    with pytest.raises(Refusal, match="round 1 was abandoned"):
        _refused(ValueError("cycle: round 1 was abandoned"))


def test_memory_of_processes_that_are_gone_is_none():
    assert megabytes([2**22 + 1]) == 0
