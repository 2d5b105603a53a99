"""The rounds that the claims are measured with, on a task of a few rows."""

from itertools import islice

import numpy as np

from bench.learning_claims import rounds_to
from bench.learning_rounds import with_stragglers
from bench.learning_tasks import synthetic
from domain.learning.trainer import LocalPlan


def test_the_first_round_that_is_good_enough_counts_and_else_the_most():
    assert rounds_to(0.5, iter([0.1, 0.5, 0.4])) == 2
    assert rounds_to(0.9, iter([0.1, 0.5, 0.4]), most=3) == 3


def test_a_task_and_its_rounds_follow_from_the_seed():
    one, same, other = (synthetic(12, seed, 1, 1) for seed in (1, 1, 2))
    assert np.array_equal(one.test["x"], same.test["x"])
    assert one.test["x"].shape != other.test["x"].shape
    plan = LocalPlan(2, 100, 0.01, 0)
    found = [list(islice(with_stragglers(one, plan, 1, keep=keep), 2)) for keep in (True, True, False)]
    assert found[0] == found[1] != found[2]
