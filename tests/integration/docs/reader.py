"""Somebody who follows a page word for word: files written, commands typed into one shell, in one folder."""

import os
import queue
import signal
import subprocess
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.unit.docs.page import Block, Command, blocks, commands, matches

PATIENCE = 60.0
BASH = "/bin/bash"
# What these print may lag behind what was just done: a reader who sees nothing yet looks again.
_LOOKS = (
    "moot consensus show",
    "moot consensus list",
    "moot audit trail",
    "moot status",
    "moot deadletters list",
    "moot events tail",
    "moot fleet list",
    "cat ",
)


@dataclass
class Reader:
    """One page's reader; `running` is what a page's `$ moot dev` has printed, since one stack serves all."""

    folder: Path
    environ: Mapping[str, str]
    running: str = ""
    _left: list[tuple[subprocess.Popen[bytes], Path]] = field(default_factory=list)

    def follow(self, page: Path) -> None:
        """Do what the page says, in its order.

        Raises:
            AssertionError: something printed, or ended, otherwise than the page says.
        """
        shell = Shell(self.folder, self.environ)
        try:
            for block in blocks(page):
                self._do(block, shell, f"{page.name}:{block.line}")
        finally:
            shell.close()
            for process, _ in self._left:
                _end(process)

    def _do(self, block: Block, shell: "Shell", place: str) -> None:
        if block.said == "file":
            (self.folder / block.value).write_text(block.text, "utf-8")
        elif block.kind == "console" and block.said != "not run":
            for command in commands(block):
                if block.said == "stays":
                    self._leave(command, place)
                else:
                    _hold(command, shell, place, fails=block.said == "fails")

    def _leave(self, command: Command, place: str) -> None:
        if command.text == "moot dev":
            assert matches(command.prints, self.running), differs(place, command, self.running)
            return
        printed = self.folder / f"{uuid.uuid4().hex}.out"
        with printed.open("wb") as out:
            process = subprocess.Popen(
                [BASH, "-c", command.text],
                cwd=self.folder,
                env=self.environ,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        self._left.append((process, printed))
        _until(lambda: matches(command.prints, printed.read_text()))
        assert matches(command.prints, printed.read_text()), differs(place, command, printed.read_text())


def _hold(command: Command, shell: "Shell", place: str, *, fails: bool) -> None:
    tries = PATIENCE if command.text.startswith(_LOOKS) else 0.0
    printed, status = shell.run(command.text)
    until = time.monotonic() + tries
    while not matches(command.prints, printed) and time.monotonic() < until:
        printed, status = shell.run(command.text)
    assert matches(command.prints, printed), differs(place, command, printed)
    assert (status != 0) == fails, f"{place}: `{command.text}` ended with status {status}"


def differs(place: str, command: Command, printed: str) -> str:
    return f"{place}: `{command.text}`\n--- the page says\n{command.prints}\n--- it printed\n{printed}"


class Shell:
    """One bash that is typed into, so that variables live as long as the page."""

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        self._end = uuid.uuid4().hex
        self._bash = subprocess.Popen(
            [BASH, "--norc"],
            cwd=folder,
            env=environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._lines: queue.Queue[str] = queue.Queue()
        self._reading = threading.Thread(target=self._read, daemon=True)
        self._reading.start()

    def run(self, command: str) -> tuple[str, int]:
        """What it printed, both streams together, and its exit status."""
        assert self._bash.stdin is not None
        # Without a standard input of its own, a command could swallow what is typed next.
        typed = f"{{ {command}\n}} </dev/null\nprintf '\\n%s %s\\n' {self._end} $?\n"
        self._bash.stdin.write(typed.encode())
        self._bash.stdin.flush()
        printed: list[str] = []
        until = time.monotonic() + PATIENCE * 2
        while True:
            try:
                line = self._lines.get(timeout=max(0.1, until - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"`{command}` goes on after {''.join(printed)!r}") from None
            if line.startswith(self._end):
                return "".join(printed).rstrip("\n"), int(line.split()[1])
            printed.append(line)

    def close(self) -> None:
        _end(self._bash)
        self._reading.join(PATIENCE)
        for pipe in (self._bash.stdin, self._bash.stdout):
            assert pipe is not None
            pipe.close()

    def _read(self) -> None:
        assert self._bash.stdout is not None
        for line in self._bash.stdout:
            self._lines.put(line.decode("utf-8", "replace"))


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the process and whatever it started in its session."""
    try:
        os.killpg(process.pid, signal.SIGTERM)
    except ProcessLookupError:
        return
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)


def _until(holds: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE
    while not holds() and time.monotonic() < until:
        threading.Event().wait(0.05)
