"""What follows of a round's reports and models."""

import numpy as np
import pytest

from domain.learning.figures import drift_distance, mean_loss
from tests.unit.domain.learning.cycles import report


def test_drift_is_the_distance_over_the_norm_of_all_tensors_together():
    before = {"a": np.array([3.0, 0.0]), "b": np.array([[4.0]])}
    after = {"a": np.array([3.0, 1.0]), "b": np.array([[6.0]])}
    assert drift_distance(before, after) == pytest.approx(np.sqrt(5) / 5)


def test_a_model_that_stands_still_has_none():
    model = {"a": np.arange(200_000, dtype="float32")}
    assert drift_distance(model, model) == 0


def test_from_a_model_of_zeros_it_is_the_distance():
    assert drift_distance({"a": np.zeros(2)}, {"a": np.array([3.0, 4.0])}) == 5


def test_a_drift_is_summed_in_double():
    before, after = {"a": np.full(100_000, 1e30, "float32")}, {"a": np.zeros(100_000, "float32")}
    assert drift_distance(before, after) == pytest.approx(1)


def test_a_loss_counts_by_rows_and_is_unknown_where_one_client_does_not_say():
    said = [report("a", loss=0.25, samples=30), report("b", loss=1.0, samples=10)]
    assert mean_loss(said) == 0.4375
    assert mean_loss([*said, report("c", loss=None)]) is None
    assert mean_loss([]) is None
