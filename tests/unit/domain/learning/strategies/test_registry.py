"""Names, settings and combinations that are refused, each in one line that says what would be right."""

import pytest

from domain.learning.policy import PrivacySpec, StrategySpec
from domain.learning.strategies.registry import (
    NEEDS,
    STRATEGIES,
    SUMS_ONLY,
    check,
    check_trainer,
    grouped,
    named,
)
from domain.refusal import Refusal

HIDDEN = [PrivacySpec(method=method) for method in sorted(SUMS_ONLY)]
INDIVIDUAL = sorted(name for name, strategy in STRATEGIES.items() if strategy.individual)
BY_SUM = sorted(STRATEGIES.keys() - set(INDIVIDUAL))


def refused(spec, clients=100, privacy=None):
    with pytest.raises(Refusal) as caught:
        check(spec, clients, privacy)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_an_unknown_name_is_refused_with_all_that_exist():
    with pytest.raises(Refusal) as caught:
        named("fedmagic\x1b[2J")
    assert str(caught.value) == (
        "strategy: there is no 'fedmagic\\x1b[2J'; there are bulyan, clustered, fedadagrad, fedadam, fedavg, "
        "fedavgm, fedprox, fedsgd, fedyogi, geometric_median, krum, median, multi_krum, q_fedavg, scaffold, "
        "trimmed_mean"
    )


@pytest.mark.parametrize("name", sorted(STRATEGIES))
def test_the_defaults_can_be(name):
    check(StrategySpec(name), 100)
    assert named(name).name == name


@pytest.mark.parametrize(
    ("name", "settings", "said"),
    [
        ("fedavg", {"rate": 0}, "strategy.rate: 0 is outside above 0"),
        ("fedavg", {"mu": 1}, "strategy.mu: is not a setting of fedavg; it has rate"),
        ("fedavg", {"groups": 4}, "strategy.groups: is not a setting of fedavg"),
        ("fedprox", {"mu": -0.1}, "strategy.mu: -0.1 is outside 0"),
        ("fedavgm", {"momentum": 1}, "strategy.momentum: 1 is too high, it must be below 1"),
        ("fedadam", {"beta2": 1}, "strategy.beta2: 1 is too high"),
        ("fedyogi", {"tau": 0}, "strategy.tau: 0 is outside above 0"),
        ("q_fedavg", {"q": -1}, "strategy.q: -1 is outside 0"),
        ("q_fedavg", {"q": float("nan")}, "strategy.q: nan is outside 0"),
        ("krum", {"byzantine": 1.5}, "strategy.byzantine: 1.5 is not a whole number"),
        (
            "krum",
            {"byzantine": 49},
            "krum needs n >= 2 f + 3 (f = byzantine = 49), at least 101 updates; 100",
        ),
        ("multi_krum", {"byzantine": 49}, "multi_krum needs n >= 2 f + 3"),
        ("multi_krum", {"byzantine": 40, "keep": 61}, "strategy.keep: 61 of 100 updates must hold some"),
        ("bulyan", {"byzantine": 25}, "bulyan needs n >= 4 f + 3 (f = byzantine = 25), at least 103 updates"),
        ("trimmed_mean", {"trim": 50}, "trimmed_mean needs n > 2 trim (trim = 50), at least 101 updates"),
        ("geometric_median", {"smoothing": 0}, "strategy.smoothing: 0 is outside above 0"),
        ("clustered", {"models": 101}, "strategy.models: 101 is outside 1"),
    ],
)
def test_settings_that_cannot_be_are_refused(name, settings, said):
    assert said in refused(StrategySpec(name, settings))


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("krum", {"byzantine": 48}),
        ("multi_krum", {"byzantine": 40, "keep": 60}),
        ("bulyan", {"byzantine": 24}),
        ("trimmed_mean", {"trim": 49}),
        ("fedavgm", {"momentum": 0}),
    ],
)
def test_settings_at_their_edge_are_taken(name, settings):
    check(StrategySpec(name, settings), 100)


@pytest.mark.parametrize("privacy", HIDDEN, ids=lambda spec: spec.method)
@pytest.mark.parametrize("name", INDIVIDUAL)
def test_rules_over_each_update_are_refused_where_it_is_hidden_by_both_names(name, privacy):
    said = refused(StrategySpec(name), privacy=privacy)
    assert f"{name} needs each client's update, which {privacy.method} hides" in said
    if grouped(named(name)):
        assert said.startswith("strategy.groups: ")
        check(StrategySpec(name, {"groups": 20}), 100, privacy)
    else:
        assert "fedavg" in said


@pytest.mark.parametrize("privacy", HIDDEN, ids=lambda spec: spec.method)
@pytest.mark.parametrize("name", BY_SUM)
def test_rules_over_the_mean_are_taken_where_updates_are_hidden(name, privacy):
    check(StrategySpec(name), 100, privacy)


def test_over_groups_the_theory_counts_groups():
    assert "bulyan needs n >= 4 f + 3" in refused(
        StrategySpec("bulyan", {"groups": 20, "byzantine": 5}), privacy=HIDDEN[0]
    )
    check(StrategySpec("bulyan", {"groups": 20, "byzantine": 4}), 100, HIDDEN[0])


def test_a_group_of_one_would_show_its_update():
    said = refused(StrategySpec("median", {"groups": 51}), privacy=HIDDEN[0])
    assert "51 groups of 100 clients: each needs two, or its sum is one client's update; at most 50" in said


@pytest.mark.parametrize(
    "privacy", [None, PrivacySpec(), PrivacySpec(method="differential_privacy", place="local")]
)
def test_groups_are_refused_where_each_update_is_seen(privacy):
    assert "sums of groups would only lose" in refused(StrategySpec("median", {"groups": 5}), privacy=privacy)


def test_central_noise_is_for_the_mean_and_local_noise_for_any_rule():
    central = PrivacySpec(method="differential_privacy", place="central")
    assert "krum needs each client's update, but central" in refused(StrategySpec("krum"), privacy=central)
    check(StrategySpec("krum"), 100, PrivacySpec(method="differential_privacy", place="local"))
    check(StrategySpec("fedadam"), 100, central)
    check(StrategySpec("krum"), 100, PrivacySpec())


@pytest.mark.parametrize("place", ["central", "local"])
@pytest.mark.parametrize(
    ("name", "why"),
    [("scaffold", "sends control variates"), ("q_fedavg", "by their loss"), ("clustered", "client's group")],
)
def test_what_noise_does_not_cover_is_refused_under_it(name, why, place):
    noise = PrivacySpec(method="differential_privacy", place=place)
    said = refused(StrategySpec(name), privacy=noise)
    assert said.startswith(f"strategy: {name} ")
    assert why in said


@pytest.mark.parametrize("name", sorted(STRATEGIES))
def test_a_trainer_without_the_ability_is_refused_by_name(name):
    ability = NEEDS[named(name).client]
    if ability is None:
        check_trainer(StrategySpec(name), "trees", frozenset())
        return
    with pytest.raises(
        Refusal, match=f"{name} needs a trainer with the ability '{ability}', which trees has"
    ):
        check_trainer(StrategySpec(name), "trees", frozenset())
    check_trainer(StrategySpec(name), "trees", {ability})
