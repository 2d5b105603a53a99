"""The examples for other libraries are trainers, and can be named in the setting."""

import pytest

from tests.fakes.trainer_conformance import HEAPS, heaps, keeps_its_promises
from workers.trainers import InstalledTrainers


@pytest.mark.parametrize(
    ("library", "value", "name"),
    [
        ("sklearn", "examples.sklearn_trainer:SklearnTrainer", "sklearn-sgd"),
        ("torch", "examples.pytorch_trainer:TorchTrainer", "torch-mlp"),
    ],
)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # the libraries' own, while they are imported
def test_an_example_keeps_the_promises_of_a_trainer(library, value, name):
    pytest.importorskip(library, reason=f"the extra `{library}` is not installed")
    trainers = InstalledTrainers([value])
    assert name in trainers.names()
    keeps_its_promises(trainers.named(name))


def test_pytorch_and_our_perceptron_give_the_same_slopes():
    pytest.importorskip("torch", reason="the extra `torch` is not installed")
    import numpy as np

    from domain.learning.trainer import LocalPlan
    from examples.pytorch_trainer import TorchTrainer

    trainers = InstalledTrainers()
    theirs = TorchTrainer().initial(HEAPS, 3)
    ours = {
        "layer00.bias": theirs["0.bias"],
        "layer00.weight": np.ascontiguousarray(theirs["0.weight"].T),
        "layer01.bias": theirs["2.bias"],
        "layer01.weight": np.ascontiguousarray(theirs["2.weight"].T),
    }
    plan = LocalPlan(2, 10, 0.1, 7, proximal=0.3)
    one = TorchTrainer().fit(theirs, heaps(), HEAPS, plan, lambda *_: True)
    other = trainers.named("mlp").fit(ours, heaps(), HEAPS, plan, lambda *_: True)
    assert np.allclose(one.model["0.weight"].T, other.model["layer00.weight"], atol=1e-5)
    assert np.allclose(one.model["2.bias"], other.model["layer01.bias"], atol=1e-5)
    assert one.loss == pytest.approx(other.loss, rel=1e-5)
