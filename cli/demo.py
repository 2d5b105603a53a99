"""`moot demo`: the main jobs on real input, on a stack of its own or on the one that runs in this folder."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from domain.refusal import Refusal

EPILOG = """\b
Examples:
  moot demo
  moot demo conflict
  moot demo learning
  moot demo consensus --json
"""
PARTS = ("consensus", "conflict", "learning")


@click.command(
    short_help="Decide 45 real cases, settle real conflicts, or learn digits, and prove it.", epilog=EPILOG
)
@click.argument("part", type=click.Choice(PARTS), default="consensus")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object of everything measured.")
def demo(part: str, *, as_json: bool) -> None:
    """Show the main jobs on real input and real servers; without a PART, consensus.

    consensus: decide 45 real cases, deliberate live, kill workers in the middle, then audit it all. A stack
    is started on free ports for as long as it takes, unless one runs in this folder. Its data stays in
    `.folkmoot`, so `moot dev` shows the same decisions in the Temporal UI afterwards.

    conflict: three regions write at once what four distributions of the time zone database say, while the
    links between them are cut. What rules settle is shown after healing, and one case ends at each of the
    four levels. It has a stack of its own, in `.folkmoot/conflict-demo`.

    learning: twenty node processes in three regions learn digits, by FedAvg, by FedProx, with differential
    privacy, by secure sums of which two nodes drop out, and with four nodes that lie; the orchestrator and a
    node are killed on the way. Plots, a table and the audit follow. It has a stack of its own, in
    `.folkmoot/learning-demo`, and needs folkmoot[learning].
    """
    started = time.monotonic()
    run = {"consensus": _consensus, "conflict": _conflict, "learning": _learning}[part]
    found, after = run(quiet=as_json)
    found["seconds"] = round(time.monotonic() - started, 1)
    if as_json:
        import json

        click.echo(json.dumps(found))
    else:
        click.echo(f"\ndone in {found['seconds']} s; {after}")


def _consensus(*, quiet: bool) -> tuple[dict[str, Any], str]:
    from cli import demo_consensus

    with stack(quiet=quiet) as running:
        found = asyncio.run(demo_consensus.show(running, quiet=quiet))
    return found, "the data is kept: `moot dev` shows it in the Temporal UI"


def _conflict(*, quiet: bool) -> tuple[dict[str, Any], str]:
    from cli import demo_conflict
    from cli.demo_timezones import CONTEXT_POLICY, REGIONS

    with (
        demo_conflict.environment() as data,
        _own(data, quiet=quiet, shared=REGIONS) as running,
    ):
        found = asyncio.run(demo_conflict.show(running, quiet=quiet))
    named = f"FOLKMOOT_DATA={os.path.relpath(data)} FOLKMOOT_CONTEXT_POLICY={os.path.relpath(CONTEXT_POLICY)}"
    return found, f"the data is kept, and shown in the Temporal UI by\n{named} \\\n  moot dev"


def _learning(*, quiet: bool) -> tuple[dict[str, Any], str]:
    from cli import demo_learning, demo_learning_data, demo_learning_fleet

    own, holdout = demo_learning_data.dealt(*demo_learning_data.digits())
    with demo_learning.environment() as data, _own(data, quiet=quiet) as running:
        files = demo_learning_data.write(data / "fleet" / "rows", own)
        with demo_learning_fleet.running(data, running["temporal_address"], files) as fleet:
            found = asyncio.run(demo_learning.show(running, fleet, holdout, quiet=quiet))
    named = f"FOLKMOOT_DATA={os.path.relpath(data)}"
    return found, f"the data is kept, and shown in the Temporal UI by\n{named} moot dev"


@contextmanager
def stack(*, quiet: bool) -> Iterator[dict[str, Any]]:
    """The running stack's announcement, after one was started where none ran."""
    from workers.embedded import stackfile
    from workers.settings import data_folder

    data = data_folder(Path.cwd(), os.environ)
    running = stackfile.read(data)
    if running is not None:
        yield running
        return
    with _own(data, quiet=quiet) as started:
        yield started


@contextmanager
def _own(data: Path, *, quiet: bool, shared: Sequence[str] | None = None) -> Iterator[dict[str, Any]]:
    """A stack in `data` for as long as the block takes, with the regions `shared`; its announcement."""
    from workers.embedded import stackfile
    from workers.embedded.stack import Stack

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    own = Stack(data, "auto", os.environ, lambda told: _tell(told, quiet=quiet), _downloading, shared=shared)
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
