"""`moot decide`: a whole table of recorded ballots, one outcome for each item."""

import asyncio
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

import click

from domain.consensus.ballot_table import MAX_BYTES, kind_of, parse
from domain.consensus.docket import QUESTION, check_docket_policy, check_table
from domain.consensus.policy import FaultModel, Policy, Weighting
from domain.refusal import Refusal
from domain.stream import check_id

EXAMPLES = """\b
Examples:
  moot decide examples/anaesthetists/ballots.csv
  moot decide ballots.csv --weighting posterior --json > decided.json
  moot decide --attach ballots-20260101-120000-1a2b
"""


@dataclass(frozen=True, slots=True)
class New:
    """A docket to start: the table's bytes and how to decide them."""

    raw: bytes
    question: str
    topic: str
    policy: Policy


@click.command(short_help="Decide a whole table of recorded ballots.", epilog=EXAMPLES)
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--attach", metavar="ID", help="Wait for a docket that was started before, instead of FILE.")
@click.option("--id", "docket", metavar="ID", help="Name the docket; by default after the file and the time.")
@click.option("--question", default=QUESTION, show_default=True, help="What the voters answered.")
@click.option("--topic", default="general", show_default=True, help="Whose reputations count and move.")
@click.option("--weighting", type=click.Choice(get_args(Weighting)), default="equal", show_default=True)
@click.option(
    "--threshold", type=float, default=0.75, show_default=True, help="Share of the weight that decides."
)
@click.option(
    "--quorum", type=float, default=0.5, show_default=True, help="Share of an item's voters that must vote."
)
@click.option("--fault-model", type=click.Choice(["crash", "byzantine"]), help="Also ask for enough ballots.")
@click.option("--faults", type=int, default=0, help="How many byzantine voters every item must bear.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object: items, voters, model.")
def decide(
    *,
    file: Path | None,
    attach: str | None,
    docket: str | None,
    question: str,
    topic: str,
    weighting: Weighting,
    threshold: float,
    quorum: float,
    fault_model: FaultModel | None,
    faults: int,
    as_json: bool,
) -> None:
    """Decide every item of FILE, a table `item,voter,choice[,confidence]` as CSV or JSON lines.

    Each item becomes a deliberation of its own on the log; the whole runs as one durable workflow.
    """
    if (file is None) == (attach is None):
        raise click.UsageError("give either FILE or --attach ID")
    if attach is not None:
        check_id(attach, "--attach")
        _run(attach, None, as_json=as_json)
    elif file is not None:
        policy = Policy(
            threshold=threshold, quorum=quorum, weighting=weighting, fault_model=fault_model, faults=faults
        )
        check_docket_policy(policy)
        raw = _read(file, policy)
        name = docket or _name(file)
        check_id(name, "--id")
        _run(name, New(raw, question, topic, policy), as_json=as_json)


def _run(name: str, new: New | None, *, as_json: bool) -> None:
    from cli import docket_report, docket_run, output

    results = asyncio.run(docket_run.decide(name, new))
    if as_json:
        click.echo(output.inert(results.decode()))
    else:
        click.echo(docket_report.table(results))


def _read(file: Path, policy: Policy) -> bytes:
    """The table's bytes, after they were read here as the workers will read them."""
    if file.is_dir():
        raise Refusal("FILE", f"{file} is a folder; name a CSV or JSONL file")
    try:
        with file.open("rb") as source:  # a pipe or a device states no size
            raw = source.read(MAX_BYTES + 1)
    except OSError as error:
        raise Refusal("FILE", f"{file} cannot be read: {error.strerror}") from None
    if len(raw) > MAX_BYTES:
        raise Refusal("FILE", f"{file} has more than {MAX_BYTES:,} bytes; split it")
    check_table(parse(raw, kind=kind_of(raw)), policy)
    return raw


def _name(file: Path) -> str:
    stem = re.sub(r"[^A-Za-z0-9_-]+", "-", file.stem).strip("-_")[:60] or "docket"
    return f"{stem}-{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
