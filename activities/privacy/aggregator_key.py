"""The key that clients of an attempt seal to the aggregator, in the aggregator's journal."""

import base64
import secrets  # noqa: TID251 # a key must be unguessable; it is in the journal before it is used

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from activities.learning_ports import Journal


class AggregatorKey:
    """One X25519 key for each attempt."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    async def private(self, salt: str) -> X25519PrivateKey:
        """Made once; any process with the same journal has it."""
        raw = await self._journal.once(f"aggregator/{salt}/private", secrets.token_bytes(32))
        return X25519PrivateKey.from_private_bytes(raw)

    async def public(self, salt: str) -> str:
        """The public half in base64, for `Session.aggregator_key`."""
        return base64.b64encode((await self.private(salt)).public_key().public_bytes_raw()).decode()

    async def forget(self, salt: str) -> None:
        """What was sealed to it can be read no more."""
        await self._journal.forget(f"aggregator/{salt}/")
