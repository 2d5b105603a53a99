"""The adapter for Flower's clients, by clients of their shape; `tests/peers` has real ones."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest

from domain.learning.tensors import check_tensors
from domain.refusal import Refusal
from tests.unit.domain.learning.training import StopAfter, on, plan, rows
from workers.flower import FlowerTrainer

COUNTER = np.array(7, np.int64)


class Client:
    """Has Flower's three methods; `fit` adds 1 to each array, and writes into what it was given."""

    def __init__(self, given):
        self.rows = given
        self.seen = []

    def fit(self, parameters, config):
        self.seen.append((parameters, config))
        for array in parameters:
            array[...] = array + 1
        return parameters, len(self.rows["y"]), {}

    def evaluate(self, parameters, config):  # noqa: ARG002 # Flower's signature, here and below
        return float(parameters[0].sum()), len(self.rows["y"]), {"accuracy": np.float32(0.5)}


def begin(seed):
    return [np.zeros((2, 2), np.float32), COUNTER.copy(), np.full(1, 0.5, np.float16)]


def trainer(**changed):
    """A trainer, and the clients that it made."""
    made = []

    def make(given):
        made.append(changed.get("client", Client)(given))
        return made[-1]

    return FlowerTrainer("flower", make, changed.get("initial", begin)), made


def test_arrays_become_tensors_and_come_back_with_the_types_that_the_client_knows():
    one, made = trainer()
    model = one.initial({}, 3)
    check_tensors(one.schema({}), model)
    fitted = one.fit(model, rows(), {}, plan(), on)
    assert [array.dtype.name for array in made[-1].seen[0][0]] == ["float32", "int64", "float16"]
    assert fitted.model["p000"].tolist() == [[1, 1], [1, 1]]
    assert (fitted.model["p001"], fitted.model["p002"].tolist()) == (8, [1.5])
    check_tensors(one.schema({}), fitted.model)
    assert model["p000"].sum() == 0
    assert (fitted.samples, fitted.steps, fitted.planned, fitted.loss) == (12, 1, 1, 0)
    assert one.evaluate(fitted.model, rows(), {}).accuracy == 0.5


def test_a_mean_of_counters_is_rounded_for_the_client_also_before_the_schema_was_asked_for():
    one, made = trainer()
    model = {"p000": np.zeros((2, 2), np.float32), "p001": np.array(7.6), "p002": np.zeros(1)}
    one.fit(model, rows(), {}, plan(), on)
    assert made[-1].seen[0][0][1] == 8 + 1


def test_the_client_is_told_the_plan_and_the_settings():
    one, made = trainer()
    tell = StopAfter(9)
    one.fit(one.initial({}, 1), rows(), {"depth": 3}, plan(epochs=4, proximal=0.1), tell)
    config = made[-1].seen[0][1]
    assert config == {
        "depth": 3,
        "epochs": 4,
        "local_epochs": 4,
        "batch_size": 12,
        "lr": 0.1,
        "learning_rate": 0.1,
        "seed": 5,
        "proximal_mu": 0.1,
    }
    assert tell.told == [(1, 1)]
    with pytest.raises(Refusal, match=r"trainer.settings.lr: is told to the client by the cycle's `local`"):
        one.fit(one.initial({}, 1), rows(), {"lr": 1.0}, plan(), on)


def test_what_clients_draw_from_is_seeded_by_the_plan(monkeypatch):
    seeds = []
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(manual_seed=seeds.append))

    class Draws(Client):
        def fit(self, parameters, config):  # noqa: ARG002
            drawn = np.random.random()  # noqa: NPY002 # as clients do
            return [parameters[0] + np.float32(drawn), *parameters[1:]], 1, {}

    one, _ = trainer(client=Draws)
    first = one.initial({}, 1)
    found = [
        one.fit(first, rows(), {}, plan(seed=seed), on).model["p000"][0, 0] for seed in (2**40, 2**40, 6)
    ]
    assert found[0] == found[1] != found[2]
    assert 2**40 in seeds


def answering(**answers):
    return type(
        "Answers", (Client,), {name: lambda *_, given=given: given for name, given in answers.items()}
    )


@pytest.mark.parametrize(
    ("client", "problem"),
    [
        (answering(fit=([], 0, {})), "trainer: the fit of flower counts 0 examples"),
        (answering(fit=([np.zeros(1)], 1, {})), r"fit of flower: tensor 'p000' is float64\[1\], not float32"),
        (answering(evaluate=(0.0, 0, {})), "the evaluate of flower gives 0.0 over 0 examples"),
        (answering(evaluate=(float("nan"), 5, {})), "the evaluate of flower gives nan over 5 examples"),
    ],
)
def test_a_client_that_gives_no_model_or_no_loss_is_refused(client, problem):
    one, _ = trainer(client=client)
    with pytest.raises(Refusal, match=problem):
        one.fit(one.initial({}, 1), rows(), {}, plan(), on)


@pytest.mark.parametrize("arrays", [[], [np.array(["a"])]])
def test_a_beginning_without_numbers_is_refused(arrays):
    one, _ = trainer(initial=lambda _: arrays)
    with pytest.raises(Refusal, match="trainer: flower begins without arrays"):
        one.schema({})


def test_a_client_without_the_metric_has_no_accuracy():
    one, _ = trainer(client=answering(evaluate=(1.5, 5, {})))
    assert one.evaluate(one.initial({}, 1), rows(), {}).accuracy is None
