"""The identities of clients as this node first met them."""

from collections.abc import Mapping

from activities.learning_ports import Journal
from activities.privacy.port import Session
from activities.privacy.terms import Noise, Terms
from domain.refusal import Refusal
from domain.strict_json import printable


class Pins:
    """The identities this node has met, one for each client for ever; shared by all clients of the node."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._met: dict[str, bytes] = {}
        self._last: tuple[Session, Terms] | None = None

    async def terms(self, session: Session, noise: Noise | None = None) -> Terms:
        """The terms of a session whose identities are those that are pinned.

        The clients of a node are asked one after the other with the same session: it is read once.

        Raises:
            Refusal: nobody should take part in it, or a client has another identity than it had.
        """
        if self._last is None or self._last[0] is not session:
            found = Terms.of(session, noise)
            await self.check(dict(zip(found.cohort, found.identities, strict=True)))
            self._last = session, found
        return self._last[1]

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
