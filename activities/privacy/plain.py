"""The method `none`: each update leaves its node as it is, and whoever reads the store reads it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from activities import update_file
from activities.privacy.port import Protected, Session
from activities.privacy.registry import Installed
from domain.learning.policy import PrivacySpec
from domain.learning.update import ClientUpdate
from domain.refusal import Refusal

NAME = "none"


@dataclass(frozen=True, slots=True)
class Plain:
    """No messages; the aggregator sees each update."""

    name: str = NAME
    individual: bool = True
    before: Sequence[str] = field(default=())
    after: Sequence[str] = field(default=())


class PlainNode:
    """On a node, for any client."""

    async def exchange(self, step: str, session: Session, inbox: bytes) -> bytes:  # noqa: ARG002 # the port's shape
        """There are no messages.

        Raises:
            Refusal: always.
        """
        raise Refusal("step", f"the method {NAME} exchanges no messages")

    async def protect(self, session: Session, update: ClientUpdate) -> Protected:
        """The update's file; the same update gives the same bytes."""
        return Protected(update_file.encode(update, session.schema), "none")

    async def close(self, session: Session) -> None:
        """There are no secrets."""


def installed() -> Installed:
    """For nodes and for the aggregator."""
    node = PlainNode()

    def method(spec: PrivacySpec) -> Plain:  # noqa: ARG001 # it has no settings
        return Plain()

    return Installed(NAME, method, node=lambda _client: node)
