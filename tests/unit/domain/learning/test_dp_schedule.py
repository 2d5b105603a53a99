"""What a spec of differential privacy means in numbers, and what cannot be meant."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.learning.dp_schedule import EVERYTHING, check, parts, release, schedule
from domain.learning.mechanism import Mechanism, compose, repeated, unsampled
from domain.learning.noise import add_noise, combined, noised, utility_preserved
from domain.learning.policy import PrivacySpec
from domain.learning.tensors import TensorSpec
from domain.refusal import Refusal
from tests.unit.domain.learning.draws import stream

SCHEMA = (TensorSpec("a", "personality_evolutions", (2,)), TensorSpec("b", "user_interaction_patterns", (3,)))
MECHANISMS = st.builds(
    Mechanism, st.sampled_from([0.5, 1.0, 2.0]), st.sampled_from([0.1, 1.0]), st.integers(1, 5)
)


def spec(**changes):
    return PrivacySpec("differential_privacy", **({"noise_multiplier": 2.0, "clip": 3.0} | changes))


def test_one_epsilon_for_all_is_one_part_of_all_tensors():
    (part,) = parts(spec(), SCHEMA).values()
    assert (part.tensors, part.norm, part.deviation) == (("a", "b"), 3.0, 6.0)


def test_noise_of_ones_own_is_twice_as_much_for_two_updates_are_twice_the_norm_apart():
    assert parts(spec(place="local"), SCHEMA)[EVERYTHING].deviation == 12.0


def test_each_group_of_the_model_has_its_own_noise():
    found = parts(spec(noise_multiplier={"personality": 1.0, "context": 2.0, "reasoning": 5.0}), SCHEMA)
    assert {name: (part.tensors, part.deviation) for name, part in found.items()} == {
        "personality": (("a",), 3.0),
        "context": (("b",), 6.0),
    }


def test_a_group_of_the_model_without_noise_is_refused():
    with pytest.raises(Refusal, match=r"epsilon\.context: is missing"):
        parts(spec(noise_multiplier={"personality": 1.0}), SCHEMA)


def test_noise_that_is_not_calibrated_yet_is_refused_by_name():
    with pytest.raises(Refusal, match="not calibrated"):
        parts(spec(noise_multiplier=None, epsilon=1.0), SCHEMA)


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"noise_multiplier": None}, "epsilon: is missing"),
        ({"noise_multiplier": {"context": 1.0}, "clipping": "adaptive"}, "one epsilon for all groups"),
        ({"epsilon": {"context": 1.0}, "clipping": "adaptive"}, "one epsilon for all groups"),
        ({"place": "local", "clipping": "adaptive"}, "place central"),
        ({"place": "local", "sampling": "secret"}, "sampling: secret counts only for central"),
    ],
)
def test_what_contradicts_itself_is_refused_by_name(changes, line):
    with pytest.raises(Refusal, match=line):
        check(spec(**changes))


@pytest.mark.parametrize("value", [0.0, -1.0, math.nan, {"context": 0.0}, {"other": 1.0}, {}])
@pytest.mark.parametrize("name", ["epsilon", "noise_multiplier"])
def test_an_epsilon_or_noise_that_is_none_is_refused(name, value):
    with pytest.raises(Refusal, match=name):
        spec(**{name: value})


def test_what_can_be_is_taken():
    check(spec())
    check(spec(clipping="adaptive"))
    check(spec(noise_multiplier=None, epsilon={"context": 1.0}, clipping="per_tensor", place="local"))


def test_public_cohorts_count_in_full_and_secret_ones_by_their_share():
    assert release(spec(), 5, 20) == Mechanism(2.0, 1.0, 1)
    assert schedule(spec(sampling="secret"), 40, 5, 20) == Mechanism(2.0, 0.25, 40)
    assert release(spec(sampling="secret"), 5, 0).sampling == 1.0


def test_groups_cost_together_what_one_gaussian_on_all_would():
    assert math.isclose(combined({"a": 2.0, "b": 2.0}), math.sqrt(2.0))
    assert release(spec(noise_multiplier={"context": 2.0, "reasoning": 2.0}), 1, 1).noise_multiplier == (
        combined({"context": 2.0, "reasoning": 2.0})
    )


@given(st.lists(MECHANISMS), st.lists(MECHANISMS))
def test_what_comes_first_does_not_matter(some, others):
    assert compose(some, others) == compose(others, compose(some))


@given(st.lists(MECHANISMS))
def test_releases_on_everybody_become_one(mechanisms):
    noise, rest = unsampled(compose(mechanisms))
    precision = sum(one.count * one.noise_multiplier**-2 for one in mechanisms if one.sampling == 1)
    assert math.isclose(noise**-2 if noise < math.inf else 0.0, precision)
    assert rest == compose([one for one in mechanisms if one.sampling < 1])


def test_two_clients_of_one_subject_move_the_sum_twice_as_far():
    assert repeated(Mechanism(2.0, 0.5, 3), 2) == Mechanism(1.0, 0.5, 3)


def test_noise_has_the_deviation_asked_for_and_leaves_the_sum_in_the_middle():
    change = {"a": np.full(20_000, 0.25), "b": np.full((100, 2), -0.5)}
    found = add_noise(change, 1.0, 0.1, stream("noise"))
    assert found["b"].shape == (100, 2)
    assert abs(float(found["a"].mean()) - 0.25) < 4 * 0.1 / math.sqrt(20_000)
    assert abs(float(found["a"].std()) - 0.1) < 4 * 0.1 / math.sqrt(40_000)


def test_every_released_number_is_on_the_grid():
    found = noised({"a": np.arange(5)}, 0.5, 2.0**-10, stream("grid"))["a"] * 2**10
    assert (found == np.rint(found)).all()


def test_utility_is_one_without_noise_and_nothing_in_noise_alone():
    assert utility_preserved({"a": np.ones(4)}, 0.0) == 1.0
    assert utility_preserved({"a": np.ones(4)}, 1.0) == 0.75
    assert utility_preserved({"a": np.ones(4)}, 9.0) == 0.0
    assert utility_preserved({"a": np.zeros(4)}, 1.0) == 0.0
