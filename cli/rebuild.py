"""`moot rebuild`: read tables again from the log, or compared with it."""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from cli import output
from domain.counting import counted

if TYPE_CHECKING:
    from projections.rebuild import Rebuilt, Verified

EPILOG = """\b
Examples:
  moot rebuild --all               all read tables again, swapped in when they are up to date
  moot rebuild consensus           only this projection
  moot rebuild --all --verify      compare with the log; change nothing
"""


@click.command(short_help="Read tables again from the log, or compare them with it.", epilog=EPILOG)
@click.argument("name", required=False)
@click.option("--all", "everything", is_flag=True, help="Every projection.")
@click.option("--verify", is_flag=True, help="Build beside, compare, name the first row that differs.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def rebuild(name: str | None, everything: bool, verify: bool, as_json: bool) -> int:  # noqa: FBT001 # click's flags
    """Fold the log from its first record beside the live tables, which serve meanwhile; then swap.

    Exit status 1 when --verify finds a difference.
    """
    if everything == (name is not None):
        raise click.UsageError("name one projection, or say --all")
    from cli.progress import Progress
    from workers import log
    from workers import rebuild as work
    from workers.settings import load

    log.set_up("rebuild", "warning")
    settings = load(needs=("kafka", "database_url"))
    projections = work.chosen(name)
    with work.second_process(settings) as second, Progress("events") as progress:
        if verify:
            found = asyncio.run(work.verify(settings, projections, progress.show, second))
        else:
            done = asyncio.run(work.rebuild(settings, projections, progress.show, second))
    if not verify:
        output.emit(as_json, asdict(done), lambda: _done(done))
        return 0
    equal = not any(one.difference for one in found)
    output.emit(
        as_json, {"equal": equal, "projections": [asdict(one) for one in found]}, lambda: _compared(found)
    )
    return 0 if equal else 1


def _done(done: "Rebuilt") -> str:
    rate = done.events / done.seconds if done.seconds else 0
    names = ", ".join(done.projections)
    return f"rebuilt {names} from {counted(done.events, 'event')} in {done.seconds:.1f} s ({rate:,.0f}/s)"


def _compared(found: Sequence["Verified"]) -> str:
    return "\n".join(
        f"{one.projection:<12} {counted(one.live.rows, 'row'):>14}  {one.live.digest[:16]}  "
        + (f"differs from the log: {one.difference}" if one.difference else "equals the log")
        for one in found
    )
