"""Processes that begin at once: forks of one that has imported everything, killed as any other process is.

A run of faults starts hundreds of them, and importing takes a core a second or more each time.
"""

import asyncio
import json
import os
import signal
import sys
from contextlib import suppress
from importlib import import_module
from pathlib import Path

NODE = "node"
"""The first word of a node of the tests' own, `tests.faults.context_node`; all else is a `moot` command."""

_ONE_THREAD = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
"""A node sees to this before numpy is loaded, which here is before it is a node."""

_IMPORTED = (
    *("cli.main", "cli.worker", "tests.faults.context_node"),
    *("workers.orchestrator", "workers.projector", "workers.reacting", "workers.replicator"),
    *("cli.worker_node", "workers.node", "domain.learning.trainers", "tests.faults.learning_rows"),
)


class Forks:
    """The process that forks, for the length of a block; its children end with it."""

    async def __aenter__(self):
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.faults.forking"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env=os.environ | _ONE_THREAD | {"PYTHONPATH": os.pathsep.join([str(Path.cwd()), *sys.path])},
        )
        self._one_by_one = asyncio.Lock()
        return self

    async def __aexit__(self, *fault):
        self._process.stdin.close()
        await self._process.wait()

    async def start(self, words: list[str], environ: dict[str, str], folder: Path, log: Path) -> int:
        """The process id of a new one; `words` is what it is to do."""
        return await self._ask(
            {"start": list(map(str, words)), "environ": environ, "folder": str(folder), "log": str(log)}
        )

    async def end(self, pid: int, number: int = signal.SIGKILL) -> int:
        """Signal it, and wait until it is gone; its exit status as `os.waitstatus_to_exitcode` has it."""
        return await self._ask({"end": pid, "signal": number})

    async def _ask(self, what):
        async with self._one_by_one:
            self._process.stdin.write(json.dumps(what).encode() + b"\n")
            return json.loads(await self._process.stdout.readline())


def serve() -> None:
    for name in _IMPORTED:
        import_module(name)
    children: set[int] = set()
    try:
        for line in sys.stdin.buffer:
            asked = json.loads(line)
            if "start" in asked:
                answer = os.fork()
                if answer == 0:
                    _become(asked)
                children.add(answer)
            else:
                answer = _end(asked["end"], asked["signal"])
                children.discard(asked["end"])
            sys.stdout.write(f"{answer}\n")
            sys.stdout.flush()
    finally:
        for pid in children:
            _end(pid, signal.SIGKILL)


def _end(pid: int, number: int) -> int:
    with suppress(ProcessLookupError):
        os.kill(pid, number)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _become(asked) -> None:
    """Do what was asked for in this fork, and never return."""
    status = 1
    try:
        with Path(asked["log"]).open("ab") as log, Path(os.devnull).open("rb") as nothing:
            os.dup2(nothing.fileno(), 0)
            for number in (1, 2):
                os.dup2(log.fileno(), number)
        os.environ.clear()
        os.environ.update(asked["environ"])
        os.chdir(asked["folder"])
        name, *words = asked["start"]
        if name == NODE:
            from tests.faults import context_node

            context_node.main(*words)
            status = 0
        else:
            from cli.main import main

            status = main([name, *words])
    finally:
        os._exit(status)


if __name__ == "__main__":
    serve()
