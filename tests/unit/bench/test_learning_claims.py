"""The rounds that the claims are measured with, on a task of a few rows."""

from itertools import islice

import numpy as np
import pytest

from bench import learning_claims
from bench.learning_claims import MOST, rounds_to
from bench.learning_rounds import fedavg, fedsgd, scaffold, with_stragglers
from bench.learning_tasks import digits, synthetic
from domain.learning.strategies.registry import STRATEGIES
from domain.learning.trainer import LocalPlan

RACE = ("iid_to_95", ("fedsgd", "e5"), 5.0, "7.7")


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


def test_a_race_names_every_seed_and_is_not_won_against_one_who_never_arrives():
    found = {"seeds": [0, 1, 2], "iid_to_95": {"fedsgd": [40, 50, 60], "e5": [5, 6, 4]}}
    won = learning_claims._factor(found, *RACE)
    assert won.value == pytest.approx(10)
    assert won.note.endswith("by seed 0: 40 to 5, 1: 50 to 6, 2: 60 to 4")
    found["iid_to_95"]["fedsgd"] = [MOST, MOST, 40]
    assert learning_claims._factor(found, *RACE).met is False


@pytest.mark.parametrize(("runs", "name"), [(fedavg, "fedavg"), (fedsgd, "fedsgd"), (scaffold, "scaffold")])
def test_the_claims_are_measured_by_our_strategies(runs, name, monkeypatch):
    class Other(Exception):
        pass

    def aggregate(*_):
        raise Other

    monkeypatch.setattr(type(STRATEGIES[name]), "aggregate", aggregate)
    with pytest.raises(Other):
        next(runs(digits(10, 0, shards=False), LocalPlan(1, 0, 0.5, 0), 0))


def test_one_gradient_of_each_at_the_servers_rate_is_one_step_of_each_averaged():
    task, plan = digits(10, 0, shards=False), LocalPlan(1, 0, 0.5, 0)
    stepped, averaged = (list(islice(runs(task, plan, 0), 3)) for runs in (fedsgd, fedavg))
    assert stepped == pytest.approx(averaged, abs=0.01)
    assert stepped[2] > stepped[0]
