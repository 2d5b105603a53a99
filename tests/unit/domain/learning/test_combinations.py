"""What cannot be had together is refused by name before anything runs."""

from dataclasses import replace

import pytest

from domain.learning.combinations import check_combination, settings_of
from domain.learning.policy import CohortPolicy, LocalTraining, PrivacySpec, StrategySpec
from domain.learning.strategies.registry import named
from domain.learning.trainers.logistic_regression import LogisticRegression
from domain.refusal import Refusal
from tests.unit.domain.learning.cycles import REQUEST

HYBRID = PrivacySpec("hybrid", epsilon=1.0)
TEN = replace(REQUEST, cohort=CohortPolicy(share=1, minimum=10))


class Plain(LogisticRegression):
    abilities = frozenset()


def request(strategy="fedavg", privacy="none", request=TEN, **settings):
    noised = {"epsilon": 1.0} if privacy in ("differential_privacy", "hybrid") else {}
    if privacy == "homomorphic_encryption":
        noised = {"key_holder": "a"}
    return replace(request, strategy=StrategySpec(strategy, settings), privacy=PrivacySpec(privacy, **noised))


@pytest.mark.parametrize(
    "method", ["none", "differential_privacy", "secure_mpc", "homomorphic_encryption", "hybrid"]
)
def test_averaging_goes_with_every_method(method):
    check_combination(request(privacy=method), LogisticRegression())


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (request("krum", "secure_mpc"), "krum needs each client's update, which secure_mpc hides"),
        (request("median", "hybrid", groups=3), "sums of groups are not made under hybrid"),
        (request("nothing"), "there is no 'nothing'"),
        (request(speed=1), "speed"),
        (
            request(privacy="secure_mpc", request=replace(REQUEST, cohort=CohortPolicy(minimum=1))),
            "at least 3",
        ),
        (replace(TEN, privacy=PrivacySpec("none", epsilon=1)), "privacy.epsilon: none adds no noise"),
        (replace(TEN, privacy=PrivacySpec("secure_mpc", noise_multiplier=1)), "privacy.noise_multiplier"),
        (replace(TEN, privacy=PrivacySpec("hybrid")), "hybrid needs it, or noise_multiplier"),
        (replace(TEN, privacy=PrivacySpec("none", key_holder="a")), "privacy.key_holder"),
        (replace(TEN, privacy=PrivacySpec("homomorphic_encryption")), "privacy.key_holder: is missing"),
        (replace(TEN, privacy=replace(HYBRID, place="local")), "with hybrid it is central"),
        (replace(TEN, privacy=replace(HYBRID, sampling="secret")), "with hybrid it is public"),
        (replace(TEN, privacy=replace(HYBRID, clipping="adaptive")), "privacy.clipping: adaptive needs"),
    ],
)
def test_an_impossible_combination_is_refused_in_one_line(asked, said):
    with pytest.raises(Refusal, match=r"^[^\n]*$") as caught:
        check_combination(asked, LogisticRegression())
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("strategy", "lacks"), [("fedprox", "proximal"), ("scaffold", "control"), ("fedsgd", "gradient")]
)
def test_a_trainer_that_cannot_what_the_strategy_needs_is_refused(strategy, lacks):
    with pytest.raises(Refusal, match=f"ability '{lacks}'"):
        check_combination(request(strategy), Plain())


def test_partial_work_needs_a_trainer_that_can_be_stopped():
    partial = replace(TEN, local=LocalTraining(partial=True))
    check_combination(partial, LogisticRegression())
    with pytest.raises(Refusal, match="cannot be stopped between two steps"):
        check_combination(partial, Plain())


def test_settings_are_the_strategys_own_then_the_cycles_then_the_requests():
    assert settings_of(request("fedprox", mu=3), named("fedprox"))["mu"] == 3
    fair = replace(request("q_fedavg"), local=LocalTraining(learning_rate=0.7))
    assert settings_of(fair, named("q_fedavg"))["learning_rate"] == 0.7
    told = replace(request("q_fedavg", learning_rate=0.2), local=LocalTraining(learning_rate=0.7))
    assert settings_of(told, named("q_fedavg"))["learning_rate"] == 0.2


def test_a_key_holder_goes_with_homomorphic_encryption():
    check_combination(
        replace(TEN, privacy=PrivacySpec("homomorphic_encryption", key_holder="a")), LogisticRegression()
    )
