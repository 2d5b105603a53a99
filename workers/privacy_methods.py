"""The privacy methods that a process of ours has: on a node, and at the aggregator."""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from activities.learning_ports import Budgets, Journal
from activities.privacy import differential, methods, plain
from activities.privacy.calibration import calibrate
from activities.privacy.central_noise import CentralNoise
from activities.privacy.ledgers import Ledgers
from activities.privacy.registry import Installed, Methods
from activities.privacy.terms import Noise
from domain.learning.clipping import clip
from domain.learning.discrete_gaussian import sample
from domain.learning.dp_schedule import parts

NOISE = Noise(parts, clip, sample)


def of_node(journal: Journal, identity: Ed25519PrivateKey) -> Methods:
    """What a node may be asked for; its secrets lie in `journal`."""
    noise = differential.NodeNoise(journal)
    return Methods(
        [
            plain.installed(),
            Installed(differential.NAME, differential.method, node=lambda _client: noise),
            methods.secure_mpc(journal, identity),
            methods.homomorphic_encryption(journal, identity),
            methods.hybrid(journal, NOISE, identity),
        ]
    )


def of_aggregator(journal: Journal, budgets: Budgets) -> Methods:
    """What a cycle may ask for; `journal` is of every process that sums, and `budgets` are charged."""
    ledgers = Ledgers(budgets, journal)
    noise = CentralNoise(journal)
    return Methods(
        [
            plain.installed(),
            Installed(
                differential.NAME,
                differential.method,
                aggregator=noise,
                accountant=ledgers,
                calibrate=calibrate,
            ),
            methods.secure_mpc(journal),
            methods.homomorphic_encryption(journal),
            methods.hybrid(journal, NOISE, accountant=ledgers, calibrate=calibrate),
        ]
    )
