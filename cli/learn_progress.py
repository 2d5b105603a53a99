"""How far a cycle is while it runs: a bar for the open round on a terminal, a line for each that ended."""

import sys
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

from cli import output
from cli.learn_nodes import Training, in_words
from cli.learn_view import ended_round
from cli.progress import LINE_SECONDS


class Rounds:
    """Shows a cycle's row again and again; what has been said of a round is not said again."""

    def __init__(self) -> None:
        self._told = 0
        self._named = ""
        self._next_line = 0.0
        self._bar: Any = None
        self._task: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def show(self, row: dict[str, Any]) -> None:
        """Lines on stdout for rounds that ended; the open one on stderr, if that is a terminal."""
        every = row["state"]["rounds"]
        over = [one for one in every if one["status"] != "training"]
        if over[self._told :]:
            self._stop()
        for one in over[self._told :]:
            sys.stdout.write(ended_round(one) + "\n")
        sys.stdout.flush()
        self._told = len(over)
        if len(every) > len(over) and sys.stderr.isatty():
            self._draw(every[-1], row["rounds"])

    def training(self, found: Sequence[Training]) -> None:
        """How far nodes are in the open round: beside its bar, else a line every few seconds."""
        words = in_words(found)
        if self._bar is not None:
            from rich.markup import escape

            self._bar.update(self._task, description=escape(f"{self._named}  {words}".rstrip()))
        elif words and time.monotonic() >= self._next_line:
            self._next_line = time.monotonic() + LINE_SECONDS
            output.say(words)

    def _draw(self, one: dict[str, Any], rounds: int) -> None:
        if self._bar is None:
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

            columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
            self._bar = Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True), transient=True)
            self._bar.start()
            self._task = self._bar.add_task("", total=one["asked"])
        heard = one["reported"] + sum(one["lost"].values())
        self._named = f"round {one['round']} of {rounds}"
        self._bar.update(self._task, description=self._named, completed=heard, total=one["asked"])

    def _stop(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
