"""How far long work is: a bar on a terminal, a line every few seconds elsewhere; always on stderr."""

import sys
import time
from types import TracebackType
from typing import Any, Self

LINE_SECONDS = 5.0


class Progress:
    """Shows `done` of `total`; silent work shorter than a look stays silent."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._bar: Any = None
        self._task: Any = None
        self._next_line = time.monotonic() + LINE_SECONDS

    def __enter__(self) -> Self:
        return self

    def begin(self, what: str) -> None:
        """Go on with the next part of the work, which counts something else."""
        self._what = what
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def show(self, done: int, total: int) -> None:
        if sys.stderr.isatty():
            self._draw(done, total)
        elif time.monotonic() >= self._next_line:
            self._next_line = time.monotonic() + LINE_SECONDS
            sys.stderr.write(f"{done:,} of {total:,} {self._what}\n")
            sys.stderr.flush()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def _draw(self, done: int, total: int) -> None:
        if self._bar is None:
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
            from rich.progress import Progress as Bar

            columns = (TextColumn(self._what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
            self._bar = Bar(*columns, console=Console(stderr=True), transient=True)
            self._bar.start()
            self._task = self._bar.add_task(self._what, total=total)
        self._bar.update(self._task, completed=done, total=total)
