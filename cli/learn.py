"""`moot learn`: federated learning cycles, from their start to the model that they publish."""

import asyncio
from pathlib import Path
from typing import Any

import click

from cli.lazy import LazyGroup
from domain.refusal import Refusal
from domain.stream import check_id

COMMANDS: dict[str, tuple[str, str]] = {
    "models": ("cli.learn_models:models", "Versions of models: lineage, metrics, plots; collect artifacts."),
    "serving": ("cli.learn_serving:serving", "Which version a node is to serve."),
    "promote": ("cli.learn_models:promote", "Let a version serve every node."),
    "rollback": ("cli.learn_models:rollback", "Take back the canary, or the version that serves."),
    "observe": ("cli.learn_models:observe", "Feed losses that were seen, and look for a drift."),
    "drift": ("cli.learn_models:drift", "Say what follows when the observed loss rises."),
    "budget": ("cli.learn_budget:budget", "What was spent of privacy budgets."),
    "recommend": ("cli.learn_recommend:recommendation", "Which privacy method to begin with."),
    "schedule": ("cli.learn_schedule:schedule", "A model's schedule: show, pause, resume, delete."),
}
"""Commands of files of their own, each imported only to run it."""

STATUSES = ("training", "closed", "failed", "withdrawn")
EXAMPLES = """\b
Examples:
  moot learn start cycle.json --holdout digits.safetensors
  moot learn watch digits-1
  moot audit trail learning/digits-1
"""
START = """\b
Examples:
  moot learn start cycle.json
  moot learn start cycle.json --holdout holdout.safetensors --wait --json
  moot learn start cycle.json --every 7d
  echo '{"id": "digits-1", "model": "digits", "rounds": 5,
         "trainer": {"name": "logistic-regression", "settings": {"features": 64, "classes": 10}},
         "cohort": {"share": 1, "minimum": 2}}' | moot learn start -
"""
JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


@click.group(
    cls=LazyGroup,
    table=COMMANDS,
    epilog=EXAMPLES,
    short_help="Federated learning cycles: start, show, watch.",
)
def learn() -> None:
    """Train a model where the data is, in rounds that survive crashes and can be audited."""


@learn.command(epilog=START, short_help="Start the cycle that FILE describes.")
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--every", metavar="TIME", help="Again and again, as 7d, 12h or 30m; the first one now.")
@click.option(
    "--holdout",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Rows that every round's model is evaluated on: .npz, .csv, or safetensors of named arrays.",
)
@click.option("--wait", is_flag=True, help="Wait for the last round and print the result.")
@JSON
def start(*, file: Path, every: str | None, holdout: Path | None, wait: bool, as_json: bool) -> None:
    """Start the cycle that FILE describes: one JSON object, `-` for standard input."""
    if every is not None and wait:
        raise click.UsageError("what is started again and again has no end to wait for: leave --wait out")
    from cli import learn_input, learn_run, learn_view, output
    from cli.learn_progress import Rounds

    request, rows = learn_input.cycle(file), None if holdout is None else learn_input.rows(holdout)
    if rows is not None and request.holdout is not None:
        raise Refusal("holdout", "FILE names one already; leave one of them out")
    if every is not None:
        period = learn_input.period(every)
        planned = asyncio.run(learn_run.schedule(request, rows, period))
        output.emit(as_json, planned, lambda: learn_view.planned(planned))
    elif wait:
        with Rounds() as rounds:
            found = asyncio.run(learn_run.train(request, rows, rounds.training))
        output.emit(as_json, found, lambda: learn_view.result(found, output.columns()))
    else:
        started = asyncio.run(learn_run.start(request, rows))
        output.emit(as_json, started, lambda: learn_view.started(started))


@learn.command(epilog="\b\nExample:\n  moot learn show digits-1", short_help="Show a cycle round by round.")
@click.argument("cycle", metavar="ID")
@JSON
def show(*, cycle: str, as_json: bool) -> None:
    """Show a cycle round by round: who was asked, who reported, what it came to, what it cost.

    From the read model, which follows the log; of a cycle that it does not know yet its workflow is asked.
    """
    check_id(cycle, "ID")
    from cli import learn_run, learn_view, output

    row = asyncio.run(learn_run.show(cycle))
    output.emit(as_json, row, lambda: learn_view.shown(row, output.columns()))


@learn.command(
    "list",
    epilog="\b\nExample:\n  moot learn list --model digits --limit 50",
    short_help="List cycles, the newest first.",
)
@click.option("--status", type=click.Choice(STATUSES), help="Only those with this status.")
@click.option("--model", help="Only those that train this model.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array.")
def list_(*, status: str | None, model: str | None, limit: int, as_json: bool) -> None:
    """List cycles, the newest first, as the read model knows them."""
    from cli import learn_run, learn_view, output

    rows = asyncio.run(learn_run.listed(status, model, limit))
    output.emit(as_json, rows, lambda: learn_view.rows(rows, limit))


@learn.command(epilog="\b\nExample:\n  moot learn watch digits-1", short_help="Follow a cycle until its end.")
@click.argument("cycle", metavar="ID")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a change.")
def watch(*, cycle: str, as_json: bool) -> None:
    """Follow a cycle until its end: a bar for the open round on a terminal, a line for each that ended.

    Of the nodes that train, the one that is least far is told, by its heartbeats.
    """
    check_id(cycle, "ID")
    from cli import learn_run, learn_view, output
    from cli.learn_progress import Rounds

    last: dict[str, Any] = {}

    def tell(row: dict[str, Any]) -> None:
        last.update(row)
        if as_json:
            output.emit(as_json, row, "")
        else:
            rounds.show(row)

    with Rounds() as rounds:
        asyncio.run(learn_run.watch(cycle, tell, rounds.training))
    if not as_json:
        output.emit(as_json, last, lambda: learn_view.ending(last, output.columns()))
