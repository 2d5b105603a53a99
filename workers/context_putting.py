"""What who writes shared context can do, be it the node itself or a process beside it."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

from domain.context.commands import PutContext
from domain.context.events import Flag
from domain.refusal import Refusal
from workers.accepting import Outcome
from workers.deciding import Accepted
from workers.outbox_changes import Mark, Marks


class Writing(ABC):
    """The node `node` of a region, for who writes by it."""

    node: str

    async def put(
        self,
        layer: str,
        key: str,
        value: Any,
        *,
        writer: str | None = None,
        flags: Sequence[Flag] = (),
        ttl_seconds: float | None = None,
        if_version: str | None = None,
        fresh: bool = False,
    ) -> Accepted:
        """Write `value`; by default `writer` is the node.

        It replaces what the node knows of the key, and what it does not know stays beside it. A key that the
        node does not know is looked up in the read table, with `fresh` any key.

        Raises:
            Refusal: it cannot be taken; with `if_version` also because the region has another version.
            OSError: the outbox cannot be written, or with `if_version`, the read table cannot be asked.
        """
        who = self.node if writer is None else writer
        command = PutContext(layer, key, value, who, tuple(flags), ttl_seconds, if_version)
        (outcome,) = await self.put_many([command], fresh=fresh)
        if isinstance(outcome, Refusal):
            raise outcome
        return outcome

    @abstractmethod
    async def put_many(
        self, commands: Sequence[PutContext], *, fresh: bool = False, marks: Marks | None = None
    ) -> list[Outcome]:
        """Each put's answer, or why it was refused, in their order; far cheaper than one call for each.

        `marks` are an import's: how far it is after each; then the first refusal is the last answer.

        Raises:
            OSError: as `put`; nothing was written.
        """

    @abstractmethod
    async def marks(self) -> list[Mark]:
        """How far each file was imported."""

    @abstractmethod
    async def drained(self, within: float) -> int:
        """Wait until all is on the log, or for `within` seconds nothing moved; how many puts wait still."""

    @property
    @abstractmethod
    def waiting_for(self) -> str | None:
        """Why nothing reaches the log at the moment, if so."""
