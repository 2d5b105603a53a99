"""The privacy methods that a process of ours has: on a node, and at the aggregator."""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from activities.learning_ports import Journal
from activities.privacy import methods, plain
from activities.privacy.registry import Methods


def of_node(journal: Journal, identity: Ed25519PrivateKey) -> Methods:
    """What a node may be asked for; its secrets lie in `journal`."""
    return Methods(
        [
            plain.installed(),
            methods.secure_mpc(journal, identity),
            methods.homomorphic_encryption(journal, identity),
        ]
    )


def of_aggregator(journal: Journal) -> Methods:
    """What a cycle may ask for; `journal` is of every process that sums."""
    return Methods([plain.installed(), methods.secure_mpc(journal), methods.homomorphic_encryption(journal)])
