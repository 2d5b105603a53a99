"""Servers that do not answer: said once when they leave and once when they are back."""

import asyncio
import time

import structlog

_log = structlog.get_logger(__name__)

_FIRST, _LONGEST = 0.1, 2.0  # seconds between two tries


class Away:
    """Who is away, for all tasks of a process."""

    def __init__(self) -> None:
        self._since: dict[str, float] = {}
        self._pause: dict[str, float] = {}

    def left(self, server: str, why: str) -> None:
        if server not in self._since:
            self._since[server] = time.monotonic()
            _log.warning("server.away", server=server, cause=why)

    def back(self, server: str) -> None:
        since = self._since.pop(server, None)
        self._pause.pop(server, None)
        if since is not None:
            _log.info("server.back", server=server, seconds=round(time.monotonic() - since, 1))

    async def wait(self, server: str) -> None:
        """Pause before the next try, longer each time up to 2 s."""
        pause = self._pause.get(server, _FIRST)
        self._pause[server] = min(2 * pause, _LONGEST)
        await asyncio.sleep(pause)


def why(error: BaseException) -> str:
    """A fault in one line of a log."""
    return (str(error) or type(error).__name__).splitlines()[0][:200]
