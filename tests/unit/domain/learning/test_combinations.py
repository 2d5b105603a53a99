"""What cannot be had together is refused by name before anything runs."""

from dataclasses import replace

import pytest

from domain.learning.combinations import NEEDS, check_combination, settings_of
from domain.learning.policy import HIDING, METHODS, CohortPolicy, LocalTraining, PrivacySpec, StrategySpec
from domain.learning.strategies.registry import STRATEGIES, named
from domain.learning.trainers.logistic_regression import LogisticRegression
from domain.refusal import Refusal
from tests.unit.domain.learning.cycles import REQUEST

HYBRID = PrivacySpec("hybrid", epsilon=1.0)
TEN = replace(REQUEST, cohort=CohortPolicy(share=1, minimum=10))


INDIVIDUAL = sorted(name for name, strategy in STRATEGIES.items() if strategy.individual)
BY_SUM = sorted(STRATEGIES.keys() - set(INDIVIDUAL))


class Plain(LogisticRegression):
    abilities = frozenset()


def request(strategy="fedavg", privacy="none", request=TEN, **settings):
    noised = {"epsilon": 1.0} if privacy in ("differential_privacy", "hybrid") else {}
    if privacy == "homomorphic_encryption":
        noised = {"key_holder": "a"}
    return replace(request, strategy=StrategySpec(strategy, settings), privacy=PrivacySpec(privacy, **noised))


def refused(asked, trainer=None):
    with pytest.raises(Refusal, match=r"^[^\n]*$") as caught:
        check_combination(asked, trainer or LogisticRegression())
    return str(caught.value)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("strategy", BY_SUM)
def test_rules_over_the_mean_go_with_every_method(strategy, method):
    check_combination(request(strategy, method), LogisticRegression())


@pytest.mark.parametrize("method", HIDING)
@pytest.mark.parametrize("strategy", INDIVIDUAL)
def test_rules_over_each_update_are_refused_where_it_is_hidden_by_both_names(strategy, method):
    said = refused(request(strategy, method))
    assert said.startswith(f"strategy: {strategy} needs each client's update, which {method} hides; take ")
    assert "fedavg" in said


def test_central_noise_is_for_the_mean_and_local_noise_for_any_rule():
    central = request("krum", "differential_privacy")
    assert "krum needs each client's update, but central" in refused(central)
    local = replace(central, privacy=replace(central.privacy, place="local"))
    check_combination(local, LogisticRegression())
    check_combination(request("krum"), LogisticRegression())


@pytest.mark.parametrize("place", ["central", "local"])
@pytest.mark.parametrize(
    ("strategy", "why"),
    [("scaffold", "sends control variates"), ("q_fedavg", "by their loss"), ("clustered", "client's group")],
)
def test_what_noise_does_not_cover_is_refused_under_it(strategy, why, place):
    noise = PrivacySpec("differential_privacy", epsilon=1.0, place=place)
    said = refused(replace(request(strategy), privacy=noise))
    assert said.startswith(f"strategy: {strategy} ")
    assert why in said


@pytest.mark.parametrize(
    ("asked", "said"),
    [
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
    assert said in refused(asked)


@pytest.mark.parametrize("strategy", sorted(STRATEGIES))
def test_a_trainer_without_the_ability_is_refused_by_name(strategy):
    ability = NEEDS[named(strategy).client]
    if ability is None:
        check_combination(request(strategy), Plain())
        return
    said = refused(request(strategy), Plain())
    assert f"{strategy} needs a trainer with the ability '{ability}', which logistic-regression has" in said


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
