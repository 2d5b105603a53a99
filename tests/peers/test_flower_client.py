"""A real Flower client, written as Flower's documentation does, trains here as it does there."""

import numpy as np
import pytest

from domain.learning.tensors import digest
from domain.learning.trainer import LocalPlan
from domain.refusal import Refusal
from workers.flower import FlowerTrainer

flwr_client = pytest.importorskip("flwr.client", reason="the extra `flower` is not installed")
typing = pytest.importorskip("flwr.common")
datasets = pytest.importorskip("sklearn.datasets")
linear = pytest.importorskip("sklearn.linear_model")
metrics = pytest.importorskip("sklearn.metrics")

CLASSES = np.arange(10)


class DigitsClient(flwr_client.NumPyClient):
    """Knows Flower and scikit-learn, and nothing of us; draws from numpy's global generator."""

    def __init__(self, x, y):
        self.x, self.y = x, y
        self.model = linear.SGDClassifier(loss="log_loss", alpha=1e-4, learning_rate="constant", eta0=0.05)
        self.model.classes_ = CLASSES

    def get_parameters(self, config):  # noqa: ARG002 # Flower's signature, here and below
        return [self.model.coef_, self.model.intercept_]

    def set_parameters(self, parameters):
        self.model.coef_, self.model.intercept_ = (array.copy() for array in parameters)

    def fit(self, parameters, config):
        self.set_parameters(parameters)
        for _ in range(config["local_epochs"]):
            self.model.partial_fit(self.x, self.y, classes=CLASSES)
        return self.get_parameters({}), len(self.x), {}

    def evaluate(self, parameters, config):  # noqa: ARG002
        self.set_parameters(parameters)
        likely = self.model.predict_proba(self.x)
        loss = float(metrics.log_loss(self.y, likely, labels=CLASSES))
        return loss, len(self.x), {"accuracy": float(self.model.score(self.x, self.y))}


def client_of(rows):
    return DigitsClient(rows["x"], rows["y"])


def zeros(seed):
    return [np.zeros((10, 64)), np.zeros(10)]


@pytest.fixture(scope="module")
def digits():
    x, y = datasets.load_digits(return_X_y=True)
    return {"x": x / 16, "y": y}


def plan(seed=1, epochs=2):
    return LocalPlan(epochs, 0, 0.1, seed)


def on(done, planned):
    return True


def test_a_flower_client_trains_unchanged_and_learns(digits):
    trainer = FlowerTrainer("digits", client_of, zeros)
    first = trainer.initial({}, 1)
    assert {spec.name: spec.shape for spec in trainer.schema({})} == {"p000": (10, 64), "p001": (10,)}
    fitted = trainer.fit(first, digits, {}, plan(), on)
    after = trainer.evaluate(fitted.model, digits, {})
    assert fitted.loss > 2 > after.loss
    assert after.accuracy > 0.9
    assert fitted.samples == after.samples == 1797
    again = trainer.fit(first, digits, {}, plan(), on)
    assert digest(again.model) == digest(fitted.model)
    assert digest(trainer.fit(first, digits, {}, plan(seed=2), on).model) != digest(fitted.model)


def test_it_gives_what_flowers_own_wrapper_of_the_client_gives(digits):
    trainer = FlowerTrainer("digits", lambda rows: client_of(rows).to_client(), zeros)
    ours = trainer.fit(trainer.initial({}, 1), digits, {}, plan(), on)
    np.random.seed(1)  # noqa: NPY002 # what the client draws from
    asked = typing.FitIns(typing.ndarrays_to_parameters(zeros(1)), {"local_epochs": 2})
    theirs = client_of(digits).to_client().fit(asked)
    for name, array in zip(("p000", "p001"), typing.parameters_to_ndarrays(theirs.parameters), strict=True):
        assert np.array_equal(ours.model[name], array)
    assert ours.samples == theirs.num_examples


def test_federated_averaging_of_flower_clients_comes_near_training_on_all_rows(digits):
    trainer = FlowerTrainer("digits", client_of, zeros)
    model = dict(trainer.initial({}, 1))
    parts = [{name: array[start::4] for name, array in digits.items()} for start in range(4)]
    for number in range(3):
        fitted = [trainer.fit(model, part, {}, plan(seed=number), on) for part in parts]
        rows = [one.samples for one in fitted]
        model = {
            name: np.average([one.model[name] for one in fitted], axis=0, weights=rows) for name in model
        }
    assert trainer.evaluate(model, digits, {}).accuracy > 0.9


def test_a_client_without_an_evaluate_of_its_own_is_refused(digits):
    class FitsOnly(flwr_client.NumPyClient):
        def fit(self, parameters, config):  # noqa: ARG002
            return parameters, 1, {}

    trainer = FlowerTrainer("fits", lambda _: FitsOnly(), zeros)
    with pytest.raises(Refusal, match=r"trainer: the evaluate of fits gives 0.0 over 0 examples"):
        trainer.fit(trainer.initial({}, 1), digits, {}, plan(), on)
