"""`moot dev`: everything on this machine, until Ctrl-C."""

import contextlib
import json
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

import click

EPILOG = """\b
Examples:
  moot dev                 Temporal on 7233, its Web UI on 8233
  moot dev --ports auto    free ports, beside another stack
  moot dev --regions eu,us   two regions that share context, and the replicator between them
"""
_INTERRUPTED = 130
_STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@click.command(short_help="Run everything on this machine until Ctrl-C.", epilog=EPILOG)
@click.option(
    "--ports",
    type=click.Choice(["default", "auto"]),
    default="default",
    show_default=True,
    help="Temporal on its own ports, or on free ones.",
)
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of all state; other commands find it there through FOLKMOOT_DATA.  [default: .folkmoot]",
)
@click.option(
    "--workers/--no-workers", default=True, help="Without workers: the servers and migrations only."
)
@click.option(
    "--regions",
    default="",
    metavar="NAMES",
    help="Regions of the shared context, with commas between.  [default: those there are, or local]",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def dev(*, ports: str, data: Path | None, workers: bool, regions: str, as_json: bool) -> int:
    """Run Kafka, Postgres, Temporal with its Web UI, the orchestrator and the projector.

    With two regions of the shared context or more, the replicator between them as well.

    A part that FOLKMOOT_KAFKA, FOLKMOOT_DATABASE_URL or TEMPORAL_ADDRESS points at elsewhere is not started.
    """
    from workers.embedded.stack import WORKERS, Stack
    from workers.settings import data_folder

    place = data.absolute() if data else data_folder(Path.cwd(), os.environ)
    lines = Lines(as_json)
    _stop_on_signals()
    own = WORKERS if workers else ()
    shared = [name for name in regions.split(",") if name]
    stack = Stack(place, ports, os.environ, lines.tell, lines.progress, own=own, shared=shared)
    try:
        stack.start()
        stack.wait()
    except KeyboardInterrupt:
        lines.line("stopping", {"state": "stopping"})
    finally:
        for number in _STOPPING:  # it ends within 10 s; a second Ctrl-C could only make it less orderly
            signal.signal(number, signal.SIG_IGN)
        stack.stop()
    return 0 if stack.ready else _INTERRUPTED


class Lines:
    """One line for each thing that happened, whole even when two threads speak at once."""

    def __init__(self, as_json: bool) -> None:  # noqa: FBT001 # the flag's value, passed on
        self._as_json = as_json
        self._speaking = threading.Lock()

    def tell(self, happened: dict[str, Any]) -> None:
        self.line(_human(happened), happened)

    def progress(self, done: int, of: int) -> None:
        """Downloads come by the dozen; every tenth is sign enough of life."""
        if done % 10 == 0 or done == of:
            self.line(
                f"kafka         downloading: {done} of {of} files",
                {"state": "downloading", "done": done, "of": of},
            )

    def line(self, human: str, data: dict[str, Any]) -> None:
        with (
            self._speaking,
            contextlib.suppress(OSError),
        ):  # nobody reads any more: no reason to stop the servers
            sys.stdout.write((json.dumps(data) if self._as_json else human) + "\n")
            sys.stdout.flush()


def _human(happened: dict[str, Any]) -> str:
    from workers.embedded.folder import LEAST_TO_GO_ON

    match happened:
        case {"state": "ready", "part": part, "address": address, "version": number, "pid": pid, "log": log}:
            return f"{part:<13} {address:<16} {number:<8} pid {pid:<8} {_shown(log)}"
        case {"state": "ready", "seconds": seconds, "ui": ui}:
            return f"ready in {seconds} s{f', Web UI {ui}' if ui else ''}; Ctrl-C stops all"
        case {"state": "died", "part": part, "log": log, "free_mib": free}:
            when = "now" if free >= LEAST_TO_GO_ON else f"once there is room: only {free} MiB are free"
            return f"{part:<13} died and is started again {when}; its log is {_shown(log)}"
        case {"part": part, "problem": problem}:
            return f"{part:<13} given up: {problem}"
    return str(happened)


def _shown(log: str) -> str:
    return os.path.relpath(log) if Path(log).is_relative_to(Path.cwd()) else log


def _stop_on_signals() -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    for number in _STOPPING:
        # SIGINT counts even where it was ignored, as in a shell's background job: it is sent to stop us.
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:  # nohup means to stay
            signal.signal(number, stop)
