"""Ours and Flower's strategies agree to 1e-6 on the same updates; where Flower leaves its papers, it is said.

Skipped where `flwr` is not installed: it has an environment of its own (`make test-flower`), which needs no
servers.
"""

import logging
import math

import numpy as np
import pytest

from domain.learning.strategies.bulyan import selected
from domain.learning.strategies.distances import squared_distances
from domain.learning.strategies.in_memory import InMemory, Sent
from domain.learning.strategies.registry import named
from domain.learning.tensors import TensorSpec
from domain.refusal import Refusal

pytest.importorskip("flwr", reason="Flower is not installed here")

from flwr.app import Array, ArrayRecord, ConfigRecord, Message, MetricRecord, RecordDict
from flwr.serverapp import strategy as flower
from flwr.supercore.task_identity import TaskIdentity

logging.getLogger("flwr").setLevel(logging.ERROR)

SCHEMA = (
    TensorSpec("bias", "context_patterns", (3,), "float64"),
    TensorSpec("weights", "personality_evolutions", (6, 5), "float64"),
)
ROUNDS = 3
AGREE = 1e-6


@pytest.fixture(autouse=True)
def _in_a_run():
    """Flower's messages say of which run they are."""
    TaskIdentity.run_id = TaskIdentity.task_id = TaskIdentity.node_id = 1


class Nodes:
    """All that a strategy asks of Flower's grid."""

    def __init__(self, count):
        self.count = count

    def get_node_ids(self):
        return range(1, self.count + 1)


def drawn(seed, scale=1.0):
    generator = np.random.default_rng(seed)
    return {spec.name: scale * generator.normal(size=spec.shape) for spec in SCHEMA}


def sent(count, round_=0, *, alike=False):
    """Updates of unequal samples unless `alike`, and of unequal losses."""
    return [
        Sent(f"c{i:03}", drawn(1000 * round_ + i), 10 if alike else 5 + 3 * i, loss=0.3 + i / 5)
        for i in range(count)
    ]


def record(tensors):
    return ArrayRecord({name: Array(array.copy()) for name, array in tensors.items()})


def reply(model, one):
    new = {name: model[name] + change for name, change in one.change.items()}
    metrics = MetricRecord({"num-examples": one.samples, "train_loss": one.loss})
    content = RecordDict({"arrays": record(new), "metrics": metrics})
    return Message(content=content, dst_node_id=1, message_type="train")


def by_flower(strategy, model, round_, updates):
    """Flower's next model; its clients send models, ours changes."""
    strategy.configure_train(round_, record(model), ConfigRecord(), Nodes(len(updates)))
    arrays, _ = strategy.aggregate_train(round_, [reply(model, one) for one in updates])
    return None if arrays is None else {name: array.numpy() for name, array in arrays.items()}


def by_us(name, model, updates, state=None, **settings):
    return named(name).aggregate(SCHEMA, model, InMemory(updates), state or {}, settings)


def apart(first, second):
    return max(float(np.abs(first[name] - second[name]).max()) for name in first)


def flower_agrees(theirs, name, settings=None, *, count=10, alike=False, state=None, rate=None):
    """Three rounds, each from the model of the last."""
    model, ours = drawn(99), None
    for round_ in range(1, ROUNDS + 1):
        updates = sent(count, round_, alike=alike)
        full = dict(settings or {}) | ({} if rate is None else {"rate": rate(round_)})
        ours = by_us(name, model, updates, ours.state if ours else state, **full)
        found = by_flower(theirs, model, round_, updates)
        assert apart(found, ours.model) < AGREE
        assert apart(model, ours.model) > 100 * AGREE
        model = {key: array.copy() for key, array in ours.model.items()}


def from_zero(*parts):
    """Flower begins v at 0; the paper, and we, at tau^2 or more."""
    return {f"{part}.{spec.name}": np.zeros(spec.shape) for part in parts for spec in SCHEMA}


def test_fedavg():
    flower_agrees(flower.FedAvg(), "fedavg")


def test_fedprox_whose_server_is_that_of_fedavg():
    flower_agrees(flower.FedProx(proximal_mu=0.1), "fedprox", {"mu": 0.1})


def test_fedavgm():
    theirs = flower.FedAvgM(server_learning_rate=0.5, server_momentum=0.9)
    flower_agrees(theirs, "fedavgm", {"rate": 0.5, "momentum": 0.9})


def test_fedyogi_from_the_same_v():
    theirs = flower.FedYogi(eta=0.01, beta_1=0.9, beta_2=0.99, tau=1e-3)
    flower_agrees(theirs, "fedyogi", {"rate": 0.01}, state=from_zero("m", "v"))


def test_fedadagrad_from_the_same_v():
    theirs = flower.FedAdagrad(eta=0.1, tau=1e-3)
    flower_agrees(theirs, "fedadagrad", {"rate": 0.1}, state=from_zero("m", "v"))


def test_fedadam_from_the_same_v_at_flowers_rate():
    # Flower corrects Adam's bias, with one round too many in the exponent; algorithm 2 of the paper does not.
    def rate(round_):
        return 0.1 * math.sqrt(1 - 0.99 ** (round_ + 1)) / (1 - 0.9 ** (round_ + 1))

    theirs = flower.FedAdam(eta=0.1, beta_1=0.9, beta_2=0.99, tau=1e-3)
    flower_agrees(theirs, "fedadam", state=from_zero("m", "v"), rate=rate)


@pytest.mark.parametrize(
    ("theirs", "name"),
    [(flower.FedAdam, "fedadam"), (flower.FedYogi, "fedyogi"), (flower.FedAdagrad, "fedadagrad")],
)
def test_where_v_begins_and_a_corrected_bias_are_to_be_seen_in_the_first_round(theirs, name):
    # So with a tau of 1, which makes the beginning of v as large as it can be.
    model, updates = drawn(99), sent(10)
    found = by_flower(theirs(eta=0.1, tau=1.0), model, 1, updates)
    assert apart(found, by_us(name, model, updates, rate=0.1, tau=1.0).model) > 1e-3


@pytest.mark.parametrize("count", [9, 10])
def test_median(count):
    flower_agrees(flower.FedMedian(), "median", count=count)


def test_trimmed_mean():
    flower_agrees(flower.FedTrimmedAvg(beta=0.2), "trimmed_mean", {"trim": 2})


@pytest.mark.parametrize("q", [0.0, 0.5, 1.0, 2.0])
def test_q_fedavg(q):
    theirs = flower.QFedAvg(client_learning_rate=0.05, q=q)
    flower_agrees(theirs, "q_fedavg", {"q": q, "learning_rate": 0.05})


def test_krum():
    flower_agrees(flower.Krum(num_malicious_nodes=2), "krum", {"byzantine": 2})


def test_multi_krum_of_clients_with_as_many_rows_each():
    theirs = flower.MultiKrum(num_malicious_nodes=2, num_nodes_to_select=5)
    flower_agrees(theirs, "multi_krum", {"byzantine": 2, "keep": 5}, alike=True)


def test_multi_krum_is_weighted_by_samples_in_flower_and_not_in_the_paper():
    model, updates = drawn(99), sent(10)
    theirs = flower.MultiKrum(num_malicious_nodes=2, num_nodes_to_select=5)
    ours = by_us("multi_krum", model, updates, byzantine=2, keep=5)
    kept = [one for one in updates if one.client not in ours.excluded]
    found = by_flower(theirs, model, 1, updates)
    assert apart(found, ours.model) > 1e-3
    assert apart(found, by_us("fedavg", model, kept).model) < AGREE


@pytest.mark.parametrize("name", ["krum", "multi_krum"])
def test_too_few_updates_for_krum_are_refused_by_us_and_taken_by_flower(name):
    model, updates = drawn(99), sent(4)
    assert by_flower(flower.Krum(num_malicious_nodes=2), model, 1, updates) is not None
    with pytest.raises(Refusal, match=f"{name} needs n >= 2 f"):
        by_us(name, model, updates, byzantine=2)


def alone(places, away):
    """Eleven updates; those at `places` lie far off, each in a direction of its own."""
    updates = sent(11, alike=True)
    for place in places:
        updates[place].change["weights"][place % 6, 0] += away * (1 + place / 100)
    return updates


def test_bulyan_where_one_pass_selects_what_krum_selects_one_by_one():
    # n = 11, f = 2: both leave out the four, and seven are left, an odd number with one median.
    model, updates = drawn(99), alone([7, 8, 9, 10], 300.0)
    ours = by_us("bulyan", model, updates, byzantine=2)
    assert ours.excluded == ("c007", "c008", "c009", "c010")
    assert apart(by_flower(flower.Bulyan(num_malicious_nodes=2), model, 1, updates), ours.model) < AGREE


def by_paper(contents, byzantine, _count):
    """The paper's selection, for Flower to go on from."""
    flat = [np.concatenate([a.numpy().ravel() for a in c["arrays"].values()]) for c in contents]
    schema = (TensorSpec("x", "context_patterns", flat[0].shape, "float64"),)
    updates = InMemory(Sent(f"{i:03}", {"x": row}, 1) for i, row in enumerate(flat))
    return [contents[place] for place in selected(squared_distances(schema, updates), byzantine)]


@pytest.mark.parametrize(("count", "byzantine"), [(11, 2), (15, 3), (7, 1), (23, 5)])
def test_bulyan_from_the_papers_selection(count, byzantine):
    theirs = flower.Bulyan(num_malicious_nodes=byzantine, selection_rule=by_paper)
    flower_agrees(theirs, "bulyan", {"byzantine": byzantine}, count=count)


def test_bulyan_selects_in_one_pass_in_flower_and_one_by_one_in_the_paper():
    model, updates = drawn(99), sent(11)
    one_pass = by_flower(flower.Bulyan(num_malicious_nodes=2), model, 1, updates)
    assert apart(one_pass, by_us("bulyan", model, updates, byzantine=2).model) > 1e-3


def test_the_median_of_an_even_number_is_one_of_the_values_in_bulyans_paper_and_their_mean_in_flower():
    model, updates = drawn(99), sent(8)
    theirs = flower.Bulyan(num_malicious_nodes=1, selection_rule=by_paper)
    assert apart(by_flower(theirs, model, 1, updates), by_us("bulyan", model, updates).model) > 1e-3
