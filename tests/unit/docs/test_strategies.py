"""The tables of the page on strategies say what the registry does."""

import re

import pytest

from domain.learning.policy import PrivacySpec, StrategySpec
from domain.learning.strategies.registry import NEEDS, STRATEGIES, SUMS_ONLY, check
from domain.refusal import Refusal
from tests.unit.docs.page import ROOT

PAGE = (ROOT / "docs" / "explanation" / "strategies.md").read_text("utf-8")
ROW = re.compile(r"^\| `(\w+)` \|(.*)\|$", re.MULTILINE)


def rows(part):
    return {name: [cell.strip() for cell in rest.split("|")] for name, rest in ROW.findall(part)}


TABLE, KINDS = (rows(part) for part in PAGE.split("## What clients do"))


def taken(name, privacy, **settings):
    try:
        check(StrategySpec(name, settings), 100, privacy)
    except Refusal:
        return False
    return True


def hidden(name):
    methods = [PrivacySpec(method=method) for method in sorted(SUMS_ONLY)]
    if all(taken(name, method) for method in methods):
        return "yes"
    return "group sums" if all(taken(name, method, groups=10) for method in methods) else "no"


def noise(name):
    central, local = (
        taken(name, PrivacySpec(method="differential_privacy", place=place)) for place in ("central", "local")
    )
    return {(True, True): "any", (False, True): "local", (False, False): "none"}[central, local]


def test_every_strategy_has_a_row_and_every_row_a_strategy():
    assert list(TABLE) == list(STRATEGIES)


@pytest.mark.parametrize("name", sorted(STRATEGIES))
def test_a_row_says_what_the_registry_does(name):
    _, settings, clients, _, updates_hidden, with_noise = TABLE[name]
    defaults = STRATEGIES[name].defaults
    assert settings == ", ".join(f"`{key}` {defaults[key]:g}" for key in sorted(defaults))
    assert clients == STRATEGIES[name].client
    assert updates_hidden == hidden(name)
    assert with_noise == noise(name)


def test_every_kind_of_client_has_a_row_with_the_ability_it_needs():
    said = {kind: needed.strip("`") for kind, (_, needed) in KINDS.items()}
    assert said == {kind: ability or "nothing" for kind, ability in NEEDS.items()}
