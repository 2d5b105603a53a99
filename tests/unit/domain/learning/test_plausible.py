"""What a host says of an update is held against what can be."""

import pytest

from domain.learning.plausible import implausible
from domain.learning.policy import PrivacySpec
from domain.learning.privacy_level import LEVELS
from tests.unit.domain.learning.cycles import report

PLAIN = PrivacySpec()


@pytest.mark.parametrize(
    ("said", "wrong"),
    [
        ({}, None),
        ({"loss": None}, None),
        ({"loss": -1e9}, None),
        ({"steps": 0, "planned": 0, "raw_bytes": 0, "group": 99}, None),
        ({"sha256": "../../answers/" + "0" * 50}, "sha256"),
        ({"sha256": "A" * 64}, "sha256"),
        ({"bytes": 0}, "bytes"),
        ({"bytes": 2**62}, "bytes"),
        ({"samples": 0}, "samples"),
        ({"samples": -5}, "samples"),
        ({"samples": 10**400}, "samples"),
        ({"steps": 3}, "steps"),
        ({"steps": -1, "planned": -1}, "planned, steps"),
        ({"raw_bytes": 2**62}, "raw_bytes"),
        ({"raw_bytes": -1}, "raw_bytes"),
        ({"loss": float("nan")}, "loss"),
        ({"loss": float("inf")}, "loss"),
        ({"group": -1}, "group"),
        ({"group": 100}, "group"),
    ],
)
def test_what_cannot_be_is_named_by_its_field(said, wrong):
    assert implausible(report("a", **said), PLAIN) == wrong


@pytest.mark.parametrize(
    ("privacy", "most"),
    [
        (PLAIN, "none"),
        (PrivacySpec("differential_privacy"), "central_dp"),
        (PrivacySpec("differential_privacy", place="local"), "local_dp"),
        (PrivacySpec("secure_mpc"), "secure_sum"),
        (PrivacySpec("homomorphic_encryption"), "encrypted_sum"),
        (PrivacySpec("hybrid"), "secure_sum_with_dp"),
    ],
)
def test_no_host_claims_more_privacy_than_the_method_gives(privacy, most):
    allowed = LEVELS.index(most)
    for place, level in enumerate(LEVELS):
        assert implausible(report("a", level=level), privacy) == ("level" if place > allowed else None)
