"""The tables of the page on strategies say what the registry does."""

import re
from dataclasses import replace

import pytest

from domain.learning.combinations import NEEDS, check_combination
from domain.learning.policy import HIDING, CohortPolicy, PrivacySpec, StrategySpec
from domain.learning.strategies.registry import STRATEGIES
from domain.learning.trainers.logistic_regression import LogisticRegression
from domain.refusal import Refusal
from tests.unit.docs.page import ROOT
from tests.unit.domain.learning.cycles import REQUEST

PAGE = (ROOT / "docs" / "explanation" / "strategies.md").read_text("utf-8")
ROW = re.compile(r"^\| `(\w+)` \|(.*)\|$", re.MULTILINE)


def rows(part):
    return {name: [cell.strip() for cell in rest.split("|")] for name, rest in ROW.findall(part)}


TABLE, KINDS = (rows(part) for part in PAGE.split("## What clients do"))


def taken(name, method, **privacy):
    asked = replace(
        REQUEST,
        strategy=StrategySpec(name),
        cohort=CohortPolicy(share=1, minimum=100),
        privacy=PrivacySpec(method, **privacy),
    )
    try:
        check_combination(asked, LogisticRegression())
    except Refusal:
        return False
    return True


def hidden(name):
    needed = {"hybrid": {"epsilon": 1.0}, "homomorphic_encryption": {"key_holder": "a"}}
    said = {taken(name, method, **needed.get(method, {})) for method in HIDING}
    return {(True,): "yes", (False,): "no"}[tuple(said)]


def noise(name):
    central, local = (
        taken(name, "differential_privacy", epsilon=1.0, place=place) for place in ("central", "local")
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
