"""Node processes of a stack under kills: begun again after each kill."""

import asyncio
from pathlib import Path

from tests.faults.forking import Forks
from tests.faults.learning_rows import CARELESS
from tests.faults.whole_stack import WholeStack
from workers.roster import PostgresRoster

EACH = 2
"""Clients of a node that are the same in every process, and as many that are not."""
_ROWS = "tests.faults.learning_rows"


class Nodes:
    """`count` of them, `<name>-<n>`; a killed one is started again at once, as a supervisor would."""

    def __init__(self, stack: WholeStack, forks: Forks, name: str, count: int) -> None:
        self._stack, self._forks = stack, forks
        self.names = [f"{name}-{n}" for n in range(count)]
        self.pids: dict[str, int] = {}

    async def start(self) -> None:
        for name in self.names:
            await self._begin(name)
        wanted = 2 * EACH * len(self.names)
        async with PostgresRoster(self._stack.settings.database_url) as roster, asyncio.timeout(120):
            while sum(one.host in self.pids for one in await roster.candidates()) < wanted:  # noqa: ASYNC110 # a table gives no signal
                await asyncio.sleep(0.05)

    async def kill(self, name: str) -> None:
        """Kill -9, and begin again."""
        await self._forks.end(self.pids.pop(name))
        await self._begin(name)

    async def stop(self) -> None:
        for name in [*self.pids]:
            await self._forks.end(self.pids.pop(name))

    def said(self) -> str:
        """Warnings of all of them."""
        logs = sorted(self._stack.folder.glob("*.node.log"))
        lines = [f"{log.stem}: {line}" for log in logs for line in log.read_text("utf-8").splitlines()]
        return "\n".join(line for line in lines if '"level": "info"' not in line)

    async def _begin(self, name: str) -> None:
        number, folder = self.names.index(name), self._stack.folder
        ids = range(number * EACH, (number + 1) * EACH)
        clients = [f"c-{n}={_ROWS}:of_client" for n in ids] + [f"x-{n}={_ROWS}:{CARELESS}" for n in ids]
        told = ["worker", "node", "--id", name, "--region", "eu", "--trainers", "logistic-regression"]
        words = [*told, *(word for client in clients for word in ("--client", client))]
        self.pids[name] = await self._forks.start(
            words, self._stack.environ, folder, Path(folder) / f"{name}.node.log"
        )
