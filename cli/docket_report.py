"""A decided docket as tables for people."""

import io

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from activities.docket_tasks import DocketResults, ModelSummary
from domain.consensus.account import VoterAccount
from domain.consensus.docket import ItemOutcome
from domain.counting import counted, share
from domain.strict_json import printable

MOST_ROWS = 60
WIDTH = 100
LONGEST_ITEM = 120


def table(raw: bytes) -> str:
    """Items, voters and model of the results `raw`, at most sixty rows of each."""
    results = msgspec.json.decode(raw, type=DocketResults)
    parts: list[Table | str] = [_items(results), _rest(len(results.items), "items")]
    parts += [_voters(results.voters), _rest(len(results.voters), "voters"), _summary(results)]
    text = io.StringIO()
    console = Console(file=text, width=WIDTH, highlight=False, no_color=True)
    for part in parts:
        if part:
            console.print(part, markup=False)
    return text.getvalue().rstrip("\n")


def said(choice: str | None, tied: tuple[str, ...] = ()) -> Text:
    """A choice fit for a cell; a tie is stated."""
    if choice is not None:
        return Text(printable(choice, 40))
    return Text("tie: " + ", ".join(printable(one, 12) for one in tied) if tied else "-")


def _items(results: DocketResults) -> Table:
    grid = Table(title=Text(f"docket {results.docket}"), title_justify="left")
    for name in ("item", "majority", "consensus", "leading"):
        grid.add_column(name, overflow="fold")  # whole: items often differ at their ends alone
    for name in ("agreement", "rounds"):
        grid.add_column(name, justify="right")
    grid.add_column("status")
    for item in results.items[:MOST_ROWS]:
        grid.add_row(*_row(item))
    return grid


def _row(item: ItemOutcome) -> list[Text]:
    return [
        Text(printable(item.item, LONGEST_ITEM)),
        said(item.majority, item.majority_tied),
        said(item.consensus),
        said(item.leading, item.tied),
        Text(share(item.agreement)),
        Text(str(item.rounds_required)),
        Text(item.status),
    ]


def _voters(voters: list[VoterAccount]) -> Table:
    grid = Table(title="voters", title_justify="left")
    grid.add_column("voter")
    stated = any(voter.brier is not None for voter in voters)
    for name in ("ballots", "reputation", "accuracy", *(["Brier"] if stated else [])):
        grid.add_column(name, justify="right")
    for voter in voters[:MOST_ROWS]:
        scores = [_number(voter.accuracy), *([_number(voter.brier)] if stated else [])]
        grid.add_row(Text(printable(voter.voter, 40)), str(voter.ballots), f"{voter.reputation:.4f}", *scores)
    return grid


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def _rest(number: int, what: str) -> str:
    return f"and {number - MOST_ROWS:,} more {what}; --json prints all" if number > MOST_ROWS else ""


def _summary(results: DocketResults) -> str:
    decided = sum(item.consensus is not None for item in results.items)
    line = f"{decided:,} of {counted(len(results.items), 'item')} reached consensus"
    return f"{line}; {_model(results.model)}" if results.model else line


def _model(model: ModelSummary) -> str:
    ended = "converged" if model.converged else "stopped"
    steps = f"{ended} after {counted(model.iterations, 'iteration')}"
    return f"{model.method} {steps} at log-likelihood {model.log_likelihood:.4f}"
