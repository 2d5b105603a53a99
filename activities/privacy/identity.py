"""The identities of clients as this node first met them."""

from collections.abc import Mapping

from activities.learning_ports import Journal
from domain.refusal import Refusal
from domain.strict_json import printable


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
