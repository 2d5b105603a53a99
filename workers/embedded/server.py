"""What the supervisor needs to know of a part; one file of this folder for each real one."""

import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Launch:
    """How to run a part: the command, what is added to or taken from the environment, and how it is ended.

    `folder` is where it runs, by default where we do. `stop` asks politely; `kill` is what the guard sends
    when nobody is left to ask politely.
    """

    command: Sequence[str | Path]
    environ: Mapping[str, str | None] = field(default_factory=dict)
    folder: Path | None = None
    stop: signal.Signals = signal.SIGTERM
    kill: signal.Signals = signal.SIGKILL


class Part(Protocol):
    """One process of the stack."""

    name: str
    start_within: float  # seconds from the launch to ready
    stop_within: float  # seconds from the polite signal to the kill
    restarts: int  # how often in a row it may die before it was ready again

    @property
    def address(self) -> str: ...

    @property
    def version(self) -> str: ...

    def prepare(self) -> Launch:
        """Do what must be done before each start (download, format, write settings) and say what to run.

        Raises:
            domain.refusal.Refusal: it cannot be started, and the way out.
        """
        ...

    def ready(self, pid: int) -> bool:
        """Whether the process answers and can be used; quick, and quiet while it is not."""
        ...
