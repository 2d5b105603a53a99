"""What a projector sees beside its work: whether Postgres is there while nothing comes, and what stands."""

import asyncio
from collections.abc import Awaitable, Callable

from projections.connection import AWAY
from projections.fence import Connection
from projections.standing import at_a_stand
from workers.away import Away, why
from workers.projector_metrics import ProjectorMetrics

LOOK_EVERY = 2.0  # seconds
_ANSWER_WITHIN = 5.0  # seconds


class Lookout:
    """Asks Postgres again and again on a connection of its own, which `connect` makes."""

    def __init__(
        self, connect: Callable[[], Awaitable[Connection]], metrics: ProjectorMetrics, away: Away
    ) -> None:
        self._connect, self._metrics, self._away = connect, metrics, away
        self._missed = False

    async def keep_looking(self) -> None:
        """Until it is cancelled."""
        while True:
            try:
                await self._look_while_there()
            except AWAY as error:
                self._metrics.unknown()
                self._missed = True
                self._away.left("postgres", why(error))
            await asyncio.sleep(LOOK_EVERY)

    async def _look_while_there(self) -> None:
        connection = await self._connect()
        try:
            while True:
                async with asyncio.timeout(_ANSWER_WITHIN):
                    self._metrics.stands(await at_a_stand(connection))
                if self._missed:  # else whoever missed it says so: it may answer and take no rows
                    self._away.back("postgres")
                self._missed = False
                await asyncio.sleep(LOOK_EVERY)
        finally:
            connection.terminate()
