"""`moot conflict`: a case, from its opening through appeals and persons to its last word."""

import asyncio
from pathlib import Path
from typing import Any

import click

from domain.conflict.annulment import GROUNDS
from domain.conflict.commands import Appeal, AskAnnulment, GiveVerdict, OpenCase
from domain.conflict.state import STATUSES
from domain.stream import check_id

OPEN = """\b
Examples:
  moot conflict open case.json
  moot conflict open case.json --wait --json
  echo '{"id": "beds", "regions": ["eu"], "positions": [
         {"id": "nine", "party": "ann", "claim": "9"},
         {"id": "seven", "party": "bob", "claim": "7"}]}' | moot conflict open -
"""
APPEAL = """\b
Example:
  moot conflict appeal beds --as bob --grounds "the ward's log was not read"
"""
RULE = """\b
Example:
  moot conflict rule beds --verdict nine --reason "I counted them" --as judge@example.org
"""
ANNUL = """\b
Example:
  moot conflict annul beds --as bob --ground no_reasons --statement "it says nothing of the log"
"""
JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


@click.group(short_help="Settle a conflict: open a case, appeal, rule, watch.")
def conflict() -> None:
    """Take a conflict through four levels, with appeals, until a ruling stands or none could be had."""


@conflict.command("open", epilog=OPEN, short_help="Open the case that FILE describes.")
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--wait", is_flag=True, help="Wait for the last word and print it.")
@JSON
def open_(*, file: Path, wait: bool, as_json: bool) -> None:
    """Open the case that FILE describes: one JSON object, `-` for standard input."""
    request = _request(file)
    from cli import conflict_run, conflict_view, output

    if wait:
        found = asyncio.run(conflict_run.resolve(request))
        output.emit(as_json, found, lambda: conflict_view.result(found))
    else:
        started = asyncio.run(conflict_run.start(request))
        output.emit(as_json, started, lambda: conflict_view.opened(started))


@conflict.command(epilog="\b\nExample:\n  moot conflict show beds")
@click.argument("case", metavar="ID")
@JSON
def show(*, case: str, as_json: bool) -> None:
    """Show where a case stands, or how it came out."""
    check_id(case, "ID")
    from cli import conflict_run, output

    seen = asyncio.run(conflict_run.show(case))
    output.emit(as_json, seen.state, seen.text)


@conflict.command(
    "list",
    epilog="\b\nExample:\n  moot conflict list --status person --limit 50",
    short_help="List cases, the newest first.",
)
@click.option(
    "--status",
    type=click.Choice(STATUSES),
    metavar="STATUS",
    help="Only those with this status, e.g. appealable, person, resolved.",
)
@click.option("--region", help="Only those of this home region.")
@click.option("--level", type=click.IntRange(1, 4), help="Only those that stand on this level.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array.")
def list_(*, status: str | None, region: str | None, level: int | None, limit: int, as_json: bool) -> None:
    """List cases, the newest first, as the read model knows them."""
    from cli import conflict_run, conflict_view, output

    rows = asyncio.run(conflict_run.listed(status, region, level, limit))
    output.emit(as_json, rows, lambda: conflict_view.rows(rows, limit, output.columns()))


@conflict.command(epilog=APPEAL, short_help="Take the ruling that stands to the next level.")
@click.argument("case", metavar="ID")
@click.option("--as", "party", required=True, help="The party that appeals.")
@click.option("--grounds", required=True, help="Goes on the record.")
@JSON
def appeal(*, case: str, party: str, grounds: str, as_json: bool) -> None:
    """Take the ruling that stands to the next level, within its window."""
    _tell(case, "APPEAL", Appeal(party, grounds), "appealed", as_json=as_json)


@conflict.command(epilog=RULE, short_help="Give, as a person, the verdict that a case waits for.")
@click.argument("case", metavar="ID")
@click.option("--verdict", required=True, help="The id of a position that level 4 heard.")
@click.option("--reason", required=True, help="Goes on the record.")
@click.option("--as", "person", required=True, help="Who decides; goes on the record.")
@JSON
def rule(*, case: str, verdict: str, reason: str, person: str, as_json: bool) -> None:
    """Give, as a person, the verdict that a critical case waits for."""
    _tell(case, "VERDICT", GiveVerdict(verdict, reason, person), "ruled", as_json=as_json)


@conflict.command(epilog=ANNUL, short_help="Attack a ruling of level 4 on one of five grounds.")
@click.argument("case", metavar="ID")
@click.option("--as", "party", required=True, help="The party that asks.")
@click.option("--ground", required=True, type=click.Choice(GROUNDS), help="One of the five.")
@click.option("--statement", required=True, help="Goes on the record.")
@JSON
def annul(*, case: str, party: str, ground: Any, statement: str, as_json: bool) -> None:
    """Attack a ruling of level 4 on one of five grounds; three new members hear it."""
    asked = AskAnnulment(party, ground, statement)
    _tell(case, "ANNUL", asked, "annulment is asked", as_json=as_json)


@conflict.command(epilog="\b\nExample:\n  moot conflict watch beds")
@click.argument("case", metavar="ID")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a change.")
def watch(*, case: str, as_json: bool) -> None:
    """Follow a case until it is closed."""
    check_id(case, "ID")
    from cli import conflict_run, output

    shown = ""

    def tell(state: dict[str, Any], text: str) -> None:
        nonlocal shown
        if as_json or text != shown:  # not every change shows in words
            output.emit(as_json, state, f"\n{text}" if shown else text)
        shown = text

    asyncio.run(conflict_run.watch(case, tell))


def _tell(case: str, update: str, command: object, what: str, *, as_json: bool) -> None:
    check_id(case, "ID")
    from cli import conflict_run, conflict_view, output
    from workflows import names

    told = asyncio.run(conflict_run.tell(case, getattr(names, update), command))
    output.emit(as_json, told, lambda: conflict_view.told(told, what))


def _request(file: Path) -> OpenCase:
    """What FILE asks for, refused here as the workers would refuse it."""
    from cli.input_file import read
    from workflows.payloads import read_input

    return read_input(OpenCase, read(file))
