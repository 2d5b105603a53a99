"""The methods that hide each update in a sum, as a process installs and the workflow drives them.

A node gives its journal and its identity; the aggregator gives a journal that every process which sums can
read. `calibrate` and `accountant` of `hybrid` are those of differential privacy.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from activities.learning_ports import Journal
from activities.privacy import encrypted_node, secure_node
from activities.privacy.encrypted_aggregator import EncryptedAggregator
from activities.privacy.encrypted_node import EncryptedNode
from activities.privacy.identity import Pins
from activities.privacy.port import Accountant, AggregatorHalf, NodeHalf
from activities.privacy.registry import Calibrate, Installed
from activities.privacy.secure_aggregator import SecureAggregator
from activities.privacy.secure_node import SecureNode
from activities.privacy.terms import Noise


@dataclass(frozen=True, slots=True)
class HiddenSum:
    """`Method` of a privacy method whose aggregator sees a sum only."""

    name: str
    before: Sequence[str]
    after: Sequence[str]
    individual: bool = False


SECURE_MPC = HiddenSum("secure_mpc", secure_node.BEFORE, secure_node.AFTER)
HYBRID = HiddenSum("hybrid", secure_node.BEFORE, secure_node.AFTER)
ENCRYPTED = HiddenSum("homomorphic_encryption", encrypted_node.BEFORE, encrypted_node.AFTER)


def secure_mpc(journal: Journal, identity: Ed25519PrivateKey | None = None) -> Installed:
    """Masks; `identity` on nodes."""
    pins = Pins(journal)
    return _installed(
        SECURE_MPC,
        SecureAggregator(journal),
        (lambda client: SecureNode(client, identity, journal, pins)) if identity is not None else None,
    )


def hybrid(
    journal: Journal,
    noise: Noise,
    identity: Ed25519PrivateKey | None = None,
    accountant: Accountant | None = None,
    calibrate: Calibrate | None = None,
) -> Installed:
    """Masks, and noise of which each client adds a share; `identity` on nodes."""
    pins = Pins(journal)
    return _installed(
        HYBRID,
        SecureAggregator(journal, noise),
        (lambda client: SecureNode(client, identity, journal, pins, noise)) if identity is not None else None,
        accountant,
        calibrate,
    )


def homomorphic_encryption(journal: Journal, identity: Ed25519PrivateKey | None = None) -> Installed:
    """CKKS, of which one client holds the key; `identity` on nodes."""
    pins = Pins(journal)
    return _installed(
        ENCRYPTED,
        EncryptedAggregator(journal),
        (lambda client: EncryptedNode(client, identity, journal, pins)) if identity is not None else None,
    )


def _installed(
    method: HiddenSum,
    aggregator: AggregatorHalf,
    node: Callable[[str], NodeHalf] | None,
    accountant: Accountant | None = None,
    calibrate: Calibrate | None = None,
) -> Installed:
    return Installed(method.name, lambda _spec: method, node, aggregator, accountant, calibrate)
