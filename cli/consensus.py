"""`moot consensus`: one deliberation at a time, from its question to its outcome."""

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

import click

from domain.consensus.commands import CastBallot, OpenDeliberation, Rule
from domain.refusal import Refusal
from domain.stream import ITEM_ID, check_id
from domain.strict_json import printable

T = TypeVar("T")

START = """\b
Examples:
  moot consensus start proposal.json
  moot consensus start proposal.json --wait --json
  echo '{"id": "q1", "question": "Ship it?", "options": ["yes", "no"],
         "voters": [{"id": "ada", "kind": "external"}]}' | moot consensus start -
"""
BALLOT = """\b
Example:
  moot consensus ballot q1 --voter ada --choice yes --confidence 0.8 --reason "tests pass"
"""
RULE = """\b
Example:
  moot consensus rule q1 --choice no --reason "the risk is not ours to take" --as judge@example.org
"""


EQUIVOCATES = "\nthis voter now has two different ballots in this round: neither counts, and reputation falls"


@click.group(short_help="Hold one deliberation: start, vote, watch.")
def consensus() -> None:
    """Put a question to a panel, in rounds, until it is decided or said to be unresolved."""


@consensus.command(epilog=START, short_help="Start the deliberation that FILE describes.")
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--wait", is_flag=True, help="Wait for the outcome and print it.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def start(*, file: Path, wait: bool, as_json: bool) -> None:
    """Start the deliberation that FILE describes: one JSON object, `-` for standard input."""
    request = _request(file)
    from cli import consensus_run, consensus_view, output

    if wait:
        outcome = _run(consensus_run.decide(request))
        output.emit(as_json, outcome, lambda: consensus_view.outcome(outcome))
    else:
        started = _run(consensus_run.start(request))
        output.emit(as_json, started, lambda: consensus_view.started(started))


@consensus.command(epilog="\b\nExample:\n  moot consensus show q1")
@click.argument("deliberation", metavar="ID")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def show(*, deliberation: str, as_json: bool) -> None:
    """Show where a deliberation stands, or how it came out."""
    _check_any_id(deliberation)
    from cli import consensus_run, output

    seen = _run(consensus_run.show(deliberation))
    output.emit(as_json, seen.state, seen.text)


@consensus.command(
    "list",
    epilog="\b\nExample:\n  moot consensus list --status unresolved --limit 50",
    short_help="List deliberations, the newest first.",
)
@click.option("--status", help="Only those with this status, e.g. open, consensus, unresolved.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array.")
def list_(*, status: str | None, limit: int, as_json: bool) -> None:
    """List deliberations, the newest first, items of dockets included, as the read model knows them."""
    from cli import consensus_run, consensus_view, output

    rows = _run(consensus_run.listed(status, limit))
    output.emit(as_json, rows, lambda: consensus_view.rows(rows, limit, output.columns()))


@consensus.command(epilog=BALLOT, short_help="Hand in a ballot of the open round, under seal.")
@click.argument("deliberation", metavar="ID")
@click.option("--voter", required=True, help="Who votes: an external voter of the panel.")
@click.option("--choice", help="One of the options; leave it out with --abstain.")
@click.option("--abstain", is_flag=True, help="Cast no choice.")
@click.option("--confidence", type=float, help="Probability, 0 to 1, that the choice is right.")
@click.option("--reason", default="", help="Shown to the others when the round has closed.")
@click.option("--round", "number", type=int, help="Refuse unless this round is open.")
@click.option("--json", "as_json", is_flag=True, help="Print the receipt as JSON.")
def ballot(
    *,
    deliberation: str,
    voter: str,
    choice: str | None,
    abstain: bool,
    confidence: float | None,
    reason: str,
    number: int | None,
    as_json: bool,
) -> None:
    """Hand in a ballot of the open round; it stays under seal until the round closes."""
    if abstain == (choice is not None):
        raise click.UsageError("give either --choice or --abstain")
    check_id(deliberation, "ID")
    command = CastBallot(voter, choice, confidence, reason, number)
    from cli import consensus_run, output

    receipt = _run(consensus_run.cast(deliberation, command))
    output.emit(
        as_json,
        receipt,
        f"sealed in round {receipt['round']}, event {receipt['event_id']}\n{receipt['commitment']}"
        + (EQUIVOCATES if receipt["equivocates"] else ""),
    )


@consensus.command(epilog=RULE)
@click.argument("deliberation", metavar="ID")
@click.option("--choice", required=True, help="One of the proposal's options.")
@click.option("--reason", required=True, help="Goes on the record.")
@click.option("--as", "person", required=True, help="Who rules; goes on the record.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def rule(*, deliberation: str, choice: str, reason: str, person: str, as_json: bool) -> None:
    """Decide, as a person, what the panel could not."""
    check_id(deliberation, "ID")
    command = Rule(choice, reason, person)
    from cli import consensus_run, output

    event = _run(consensus_run.rule(deliberation, command))
    output.emit(as_json, {"event_id": event}, f"ruled, event {event}")


@consensus.command(epilog="\b\nExample:\n  moot consensus watch q1")
@click.argument("deliberation", metavar="ID")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a change.")
def watch(*, deliberation: str, as_json: bool) -> None:
    """Follow a deliberation until its outcome."""
    check_id(deliberation, "ID")
    from cli import consensus_run, output

    shown = ""

    def tell(state: dict[str, Any], text: str) -> None:
        nonlocal shown
        if as_json or text != shown:  # not every change shows in words
            output.emit(as_json, state, f"\n{text}" if shown else text)
        shown = text

    _run(consensus_run.watch(deliberation, tell))


def _request(file: Path) -> OpenDeliberation:
    """What FILE asks for, refused here as the workers would refuse it."""
    from cli.input_file import read
    from domain.consensus.decide import open_deliberation
    from workflows.capacity import check_size
    from workflows.payloads import read_input

    request = read_input(OpenDeliberation, read(file))
    check_size(request)
    open_deliberation(request)
    return request


def _check_any_id(deliberation: str) -> None:
    if not ITEM_ID.fullmatch(deliberation):
        raise Refusal(
            "ID", f"'{printable(deliberation, 40)}' is no deliberation's id; see `moot consensus list`"
        )


def _run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)
