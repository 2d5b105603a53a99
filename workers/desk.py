"""The terminal of a worker as a desk: a person reads a question there and types the answer."""

import asyncio
import sys


class Terminal:
    """One question at a time, shown on stderr, answered on stdin."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()
        self._typed: asyncio.StreamReader | None = None
        self._pipe: asyncio.ReadTransport | None = None

    def close(self) -> None:
        """Leave the terminal, which closes stdin."""
        if self._pipe is not None:
            self._pipe.close()

    async def ask(self, lines: list[str], wanted: list[str]) -> list[str]:
        """See `activities.person.Desk`."""
        async with self._turn:
            typed = await self._reader()
            _show("\n".join(["", *lines, ""]))
            answers = []
            for what in wanted:
                _show(f"{what}: ")
                line = await typed.readline()
                if not line.endswith(b"\n"):
                    raise EOFError("nobody sits at the terminal")
                answers.append(line.decode("utf-8", "replace").strip())
            return answers

    async def _reader(self) -> asyncio.StreamReader:
        # Not in a thread: one that waits for a line would keep the process from ending.
        if self._typed is None:
            typed = asyncio.StreamReader()
            loop = asyncio.get_running_loop()
            self._pipe, _ = await loop.connect_read_pipe(
                lambda: asyncio.StreamReaderProtocol(typed), sys.stdin
            )
            self._typed = typed
        return self._typed


def _show(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()
