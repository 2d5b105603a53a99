"""The digest of a policy's rules: it tells rules apart, and nothing else."""

import pytest

from domain.context.layers import Layers, layers_from
from domain.context.policy import rules_digest


@pytest.mark.parametrize(
    "stated",
    [
        {"cultural": {"precedence": ["eu"]}},
        {"cultural": {"precedence": ["eu", "us"]}},
        {"cultural": {"precedence": ["us", "eu"]}},
        {"historical": {"precedence": ["eu"]}},
        {"situational": {"rule": "temporal_merge"}},
        {"immediate": {"rule": "ai_mediation"}},
    ],
)
def test_another_rule_or_precedence_is_another_digest(stated):
    found = rules_digest(layers_from(stated))
    assert found == rules_digest(layers_from(stated))
    assert found != rules_digest(Layers())


def test_a_merge_of_texts_is_one_of_the_rules():
    assert len({rules_digest(Layers(), name) for name in ("", "one", "two")}) == 3


def test_cadence_and_lifetime_are_none():
    changed = layers_from({"historical": {"sync_seconds": 1.0, "ttl_seconds": 2.0, "batched": False}})
    assert rules_digest(changed) == rules_digest(Layers())
