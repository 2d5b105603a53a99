"""The methods that hide each update in a sum, as the cycle's workflow drives them."""

from collections.abc import Sequence
from dataclasses import dataclass

from activities.privacy import encrypted_node, secure_node


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
