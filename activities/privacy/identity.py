"""Who a client is: its own signing key, and the identities of others as this node first met them."""

import base64
import secrets  # noqa: TID251 # a key must be unguessable; it is in the journal before it is used
from collections.abc import Mapping

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from activities.learning_ports import Journal
from domain.refusal import Refusal
from domain.strict_json import printable


async def identity_of(client: str, journal: Journal) -> Ed25519PrivateKey:
    """The client's own Ed25519 key, made once and kept in its node's journal."""
    raw = await journal.once(f"identity/{client}/private", secrets.token_bytes(32))
    return Ed25519PrivateKey.from_private_bytes(raw)


def announced(identity: Ed25519PrivateKey) -> str:
    """The public half as the roster has it: base64."""
    return base64.b64encode(identity.public_key().public_bytes_raw()).decode()


class Pins:
    """The identities this node has met, one for each client for ever; shared by all clients of the node."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._met: dict[str, bytes] = {}

    async def check(self, identities: Mapping[str, bytes]) -> None:
        """Keep the identities of clients that are new here.

        Raises:
            Refusal: a client had another one when this node first met it.
        """
        for client, public in identities.items():
            if client not in self._met:
                self._met[client] = await self._journal.once(f"pinned/{client}/identity", public)
            if self._met[client] != public:
                raise Refusal(
                    f"identity of {printable(client, 60)}",
                    "is another than this node has pinned; if the client truly has a new key, whoever "
                    "keeps this node must forget the old one in its journal",
                )
