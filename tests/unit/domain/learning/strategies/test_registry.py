"""Names and settings that are refused, each in one line that says what would be right."""

import pytest

from domain.learning.strategies.registry import STRATEGIES, named
from domain.refusal import Refusal


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
    named(name).check({}, 100)
    assert named(name).name == name


@pytest.mark.parametrize(
    ("name", "settings", "said"),
    [
        ("fedavg", {"rate": 0}, "strategy.rate: 0 is outside above 0"),
        ("fedavg", {"mu": 1}, "strategy.mu: is not a setting of fedavg; it has rate"),
        ("median", {"groups": 4}, "strategy.groups: is not a setting of median"),
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
    with pytest.raises(Refusal, match=r"^[^\n]*$") as caught:
        named(name).check(settings, 100)
    assert said in str(caught.value)


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
    named(name).check(settings, 100)
