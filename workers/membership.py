"""A node process in the fleet: it announces itself, again when what it says changes, and takes its leave."""

import asyncio
from collections.abc import Callable, Sequence

import msgspec
import structlog
from temporalio.client import WorkflowFailureError
from temporalio.service import RPCError

from domain.learning.announcing import parts_of, worth_saying
from domain.learning.fleet import Announced, Client
from domain.refusal import Refusal
from workers.announcer import Announcer
from workers.away import Away, why

_log = structlog.get_logger(__name__)

PART_BYTES = 96 * 1024
"""Of an announcement, so that a part with all that Temporal and Kafka add stays below 256 KiB."""
LEAVE_SECONDS = 10.0
SLOW_SECONDS = 5.0
_UNWRITTEN = "what the node announces is not written yet; does `moot worker orchestrator` run?"


class Membership:
    """Says of `host` what `look` finds; there are no heartbeats: a host that is gone takes no task."""

    def __init__(
        self, announcer: Announcer, host: str, region: str, look: Callable[[], Sequence[Client]], every: float
    ) -> None:
        self._announcer = announcer
        self._host = host
        self._region = region
        self._look = look
        self._every = every

    async def keep(self) -> None:
        """Announce, and look again every so often, until it is cancelled.

        Raises:
            Refusal: the stream has events that this node knows nothing of, or there is nothing to announce
                at the start; later it is only logged.
        """
        said = await asyncio.to_thread(self._look)
        await self._say(said)
        unseen = ""
        while True:
            await asyncio.sleep(self._every)
            try:
                now = await asyncio.to_thread(self._look)
            except Exception as error:  # noqa: BLE001 # a source is anybody's code, and training goes on
                if unseen != why(error):
                    _log.warning("fleet.not_looked", host=self._host, cause=why(error))
                unseen = why(error)
                continue
            unseen = ""
            if worth_saying(said, now):
                await self._say(now)
                said = now

    async def leave(self) -> None:
        """Have it written that the host left; where that takes too long, the next start ends it."""
        try:
            async with asyncio.timeout(LEAVE_SECONDS):
                await self._announcer.leave("stopped")
        except (TimeoutError, RPCError, WorkflowFailureError, OSError, Refusal) as error:
            _log.warning("fleet.not_left", host=self._host, cause=why(error))

    async def _say(self, clients: Sequence[Client]) -> None:
        parts = parts_of(self._host, self._region, clients, _weigh, PART_BYTES)
        away = Away()
        # Without an orchestrator Temporal takes it, and nothing else happens.
        slow = asyncio.get_running_loop().call_later(SLOW_SECONDS, away.left, "fleet", _UNWRITTEN)
        try:
            new = await self._until_said(parts, away)
        finally:
            slow.cancel()
        away.back("fleet")
        _log.info("fleet.member", host=self._host, clients=len(clients), events=new)

    async def _until_said(self, parts: Sequence[Announced], away: Away) -> int:
        while True:
            try:
                return await self._announcer.say(parts)
            except (RPCError, WorkflowFailureError, OSError) as error:
                away.left("fleet", why(error))
                await away.wait("fleet")


def _weigh(client: Client) -> int:
    return len(msgspec.json.encode(client)) + 1
