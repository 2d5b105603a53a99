"""How a process installs the methods that hide updates in sums."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from activities.privacy import methods
from activities.privacy.registry import Methods
from activities.privacy.terms import Noise
from domain.learning.policy import PrivacySpec
from domain.refusal import Refusal
from tests.fakes.journal import MemoryJournal

NOISE = Noise(lambda _spec, _schema: {}, lambda tensors, _norm, _rule: tensors, lambda *_: None)


def installed(identity=None):
    journal = MemoryJournal()
    return Methods(
        [
            methods.secure_mpc(journal, identity),
            methods.hybrid(journal, NOISE, identity),
            methods.homomorphic_encryption(journal, identity),
        ]
    )


@pytest.mark.parametrize("name", ["secure_mpc", "hybrid", "homomorphic_encryption"])
def test_a_node_has_both_halves_and_the_aggregator_its_own(name):
    spec = PrivacySpec(name)
    here = installed(Ed25519PrivateKey.generate())
    assert here.method(spec).name == name
    assert not here.method(spec).individual
    assert here.node(spec, "c00") is not here.node(spec, "c01")
    central = installed()
    assert central.aggregator(spec)
    with pytest.raises(Refusal, match="is not installed on this node"):
        central.node(spec, "c00")
