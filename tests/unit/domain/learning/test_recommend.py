"""The rule that names a privacy method: more harm never gets less protection."""

import itertools

import pytest

from domain.learning.policy import METHODS
from domain.learning.privacy_level import LEVELS
from domain.learning.recommend import NEEDS, recommend

ALL = list(itertools.product(NEEDS, NEEDS))


@pytest.mark.parametrize(("performance", "accuracy"), ALL)
def test_more_sensitive_data_is_never_protected_less(performance, accuracy):
    levels = [LEVELS.index(recommend(need, performance, accuracy).level) for need in NEEDS]
    assert levels == sorted(levels)
    assert LEVELS[levels[-1]] in ("secure_sum", "secure_sum_with_dp")


@pytest.mark.parametrize(("sensitivity", "performance"), ALL)
def test_where_accuracy_is_all_nothing_noises_the_model(sensitivity, performance):
    assert recommend(sensitivity, performance, "high").method in ("none", "secure_mpc")


@pytest.mark.parametrize(("performance", "accuracy"), ALL)
@pytest.mark.parametrize("sensitivity", NEEDS)
def test_every_recommendation_is_a_method_with_its_reasons_and_its_price(sensitivity, performance, accuracy):
    said = recommend(sensitivity, performance, accuracy)
    assert said.method in METHODS
    assert said.why
    assert said.gives_up
    assert said.instead
