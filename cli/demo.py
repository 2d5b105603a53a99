"""`moot demo`: the main job on real input, on a stack of its own or on the one that runs in this folder."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from domain.refusal import Refusal

EPILOG = """\b
Examples:
  moot demo
  moot demo consensus --json
"""
PARTS = ("consensus",)


@click.command(short_help="Decide 45 real cases on a real stack, then prove it.", epilog=EPILOG)
@click.argument("part", type=click.Choice(PARTS), default="consensus")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object of everything measured.")
def demo(part: str, *, as_json: bool) -> None:  # noqa: ARG001 # the only part there is so far
    """Decide 45 real cases, deliberate live, kill workers in the middle, then audit it all.

    A stack is started on free ports for as long as it takes, unless one runs in this folder. Its data stays
    in `.folkmoot`, so `moot dev` shows the same decisions in the Temporal UI afterwards.
    """
    from cli import demo_consensus

    started = time.monotonic()
    with stack(quiet=as_json) as running:
        found = asyncio.run(demo_consensus.show(running, quiet=as_json))
    found["seconds"] = round(time.monotonic() - started, 1)
    if as_json:
        import json

        click.echo(json.dumps(found))
    else:
        click.echo(
            f"\ndone in {found['seconds']} s; the data is kept: `moot dev` shows it in the Temporal UI"
        )


@contextmanager
def stack(*, quiet: bool) -> Iterator[dict[str, Any]]:
    """The running stack's announcement, after one was started where none ran."""
    from workers.embedded import stackfile
    from workers.embedded.stack import Stack
    from workers.settings import data_folder

    data = data_folder(Path.cwd(), os.environ)
    running = stackfile.read(data)
    if running is not None:
        yield running
        return
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    own = Stack(data, "auto", os.environ, lambda told: _tell(told, quiet=quiet), _downloading)
    try:
        own.start()
        found = stackfile.read(data)
        if found is None:
            raise Refusal("stack", f"it is ready, but {data / stackfile.NAME} cannot be read")
        yield found
    finally:
        own.stop()


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _tell(told: dict[str, Any], *, quiet: bool) -> None:
    if quiet:
        return
    match told:
        case {"state": "ready", "part": part, "address": address, "version": version, "pid": pid}:
            sys.stdout.write(f"{part:<13} {address:<16} {version:<8} pid {pid}\n")
        case {"state": "ready", "seconds": seconds, "ui": ui}:
            sys.stdout.write(f"ready in {seconds} s, Web UI {ui}\n")
        case {"state": "died", "part": part}:
            sys.stdout.write(f"{part:<13} died and is started again\n")
    sys.stdout.flush()


def _downloading(done: int, of: int) -> None:
    if done % 15 == 0 or done == of:
        sys.stderr.write(f"downloading Kafka: {done} of {of} files\n")
        sys.stderr.flush()
