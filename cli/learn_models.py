"""`moot learn models`, `promote`, `rollback`, `observe`, `drift`: the versions of a model."""

import asyncio
from pathlib import Path
from typing import Any

import click

from domain.learning.versions.commands import PromoteVersion, RollBack, SetDriftPolicy
from domain.learning.versions.policy import DriftPolicy
from domain.refusal import Refusal
from domain.stream import check_id

MODELS = """\b
Examples:
  moot learn models
  moot learn models digits
  moot learn models digits --version v1.1 --plot digits.png
  moot learn models digits --plot
  moot learn models --collect
  moot learn models --collect --yes
"""
PROMOTE = """\b
Example:
  moot learn promote digits v1.1 --reason "better on the wards" --as ann@example.org
"""
ROLLBACK = """\b
Examples:
  moot learn rollback digits --reason "wrong on the wards" --as ann@example.org
  moot learn rollback digits --to v1.0 --reason "the last that was reviewed" --as ann@example.org
"""
OBSERVE = """\b
Examples:
  moot learn observe digits --loss 0.41 --loss 0.39
  moot learn observe digits losses.txt
"""
DRIFT = """\b
Examples:
  moot learn drift digits --then roll_back --reason "agreed on Monday" --as ann@example.org
  moot learn drift digits --then cycle --cycle again.json --reason "train anew" --as ann@example.org
"""
JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
REASON = click.option("--reason", required=True, help="Goes on the record.")
PERSON = click.option("--as", "person", required=True, help="Who decides; goes on the record.")


@click.command(epilog=MODELS, short_help="Versions of models: lineage, metrics, plots; collect artifacts.")
@click.argument("model", required=False)
@click.option("--version", help="One version, and the rounds of its cycle.")
@click.option(
    "--plot",
    is_flag=False,
    flag_value="",
    metavar="[FILE.png]",
    help="Loss and accuracy by round, along the lineage; without a file in the terminal.",
)
@click.option("--collect", is_flag=True, help="Show the artifacts that nothing on the log refers to.")
@click.option("--yes", is_flag=True, help="With --collect: then take them out of the store.")
@click.option("--grace", default="14d", show_default=True, help="With --collect: younger ones are kept.")
@JSON
def models(
    *,
    model: str | None,
    version: str | None,
    plot: str | None,
    collect: bool,
    yes: bool,
    grace: str,
    as_json: bool,
) -> None:
    """Show the versions of MODEL, or every model."""
    _check(model, version, plot, collect=collect, yes=yes)
    from cli import learn_models_run as run
    from cli import learn_models_view as view
    from cli import output

    if collect:
        _collect(grace, yes=yes, as_json=as_json)
    elif model is None:
        rows = asyncio.run(run.listed())
        output.emit(as_json, rows, lambda: view.rows(rows))
    else:
        found = asyncio.run(run.show(model, version, rounds=version is not None or plot is not None))
        drawn = _draw(found, plot) if plot is not None else ""
        output.emit(as_json, found, lambda: view.model(found, version) + drawn)


def _check(model: str | None, version: str | None, plot: str | None, *, collect: bool, yes: bool) -> None:
    if model is not None:
        check_id(model, "MODEL")
    elif version is not None or plot is not None:
        raise click.UsageError("--version and --plot need a MODEL")
    if collect and model is not None:
        raise click.UsageError("--collect looks at the whole store; leave out MODEL")
    if yes and not collect:
        raise click.UsageError("--yes belongs to --collect")
    if plot and not plot.endswith(".png"):
        raise Refusal("--plot", "makes a PNG: name a file that ends in .png, or none for the terminal")


def _collect(grace: str, *, yes: bool, as_json: bool) -> None:
    from cli import learn_models_run as run
    from cli import learn_models_view as view
    from cli import output
    from cli.learn_input import period

    kept = period(grace, "--grace")

    def dry_run(found: dict[str, Any]) -> None:
        if not as_json:
            output.emit(as_json=False, data=found, human=view.unreferenced(found))

    done = asyncio.run(run.collect(kept, dry_run, yes=yes))
    output.emit(as_json, done, lambda: view.collected(done))


def _draw(found: dict[str, Any], file: str | None) -> str:
    from cli import learn_plot

    if file:
        learn_plot.png(found["rounds"], found["model"], Path(file))
        return f"\n\nplotted in {file}"
    from cli import output

    return "\n\n" + learn_plot.terminal(found["rounds"], min(output.columns(), 100))


@click.command(epilog=PROMOTE, short_help="Let a version serve every node.")
@click.argument("model")
@click.argument("version")
@REASON
@PERSON
@JSON
def promote(*, model: str, version: str, reason: str, person: str, as_json: bool) -> None:
    """Let VERSION of MODEL serve every node; a canary of another version is taken back."""
    _tell(model, "PROMOTE", PromoteVersion(version, reason, person), as_json=as_json)


@click.command(epilog=ROLLBACK, short_help="Take back the canary, or the version that serves.")
@click.argument("model")
@click.option("--to", help="The version that shall serve; by default the one before.")
@REASON
@PERSON
@JSON
def rollback(*, model: str, to: str | None, reason: str, person: str, as_json: bool) -> None:
    """Take back the canary of MODEL, or else the version that serves."""
    _tell(model, "ROLL_BACK", RollBack(reason, person, to), as_json=as_json)


@click.command(epilog=OBSERVE, short_help="Feed losses that were seen, and look for a drift.")
@click.argument("model")
@click.argument("file", required=False, type=click.Path(path_type=Path, allow_dash=True))
@click.option("--loss", "losses", type=float, multiple=True, help="A loss; may be given again, oldest first.")
@click.option("--version", help="Whose losses they are; refused where another version serves.")
@click.option("--id", "key", help="Makes a repeat the same; by default the digest of FILE.")
@JSON
def observe(
    *,
    model: str,
    file: Path | None,
    losses: tuple[float, ...],
    version: str | None,
    key: str | None,
    as_json: bool,
) -> None:
    """Feed losses of the version that serves, from FILE (one a line, oldest first) or by --loss."""
    check_id(model, "MODEL")
    if (file is None) == (not losses):
        raise click.UsageError("give FILE, or --loss, and not both")
    from cli import learn_models_run as run
    from cli import learn_models_view as view
    from cli import output

    done = asyncio.run(run.observe(model, run.observations(file, losses, version, key)))
    output.emit(as_json, done, lambda: view.observed(done))


@click.command(epilog=DRIFT, short_help="Say what follows when the observed loss rises.")
@click.argument("model")
@click.option("--then", type=click.Choice(["say", "roll_back", "cycle"]), required=True, help="What follows.")
@click.option("--cycle", type=click.Path(path_type=Path, allow_dash=True), help="FILE of the cycle to start.")
@click.option("--delta", type=float, default=0.002, show_default=True, help="ADWIN's confidence.")
@REASON
@PERSON
@JSON
def drift(
    *, model: str, then: Any, cycle: Path | None, delta: float, reason: str, person: str, as_json: bool
) -> None:
    """Say what follows when the observed loss of MODEL rises; without --cycle its schedule is triggered."""
    from cli.learn_models_run import cycle_of

    policy = DriftPolicy(then, delta, cycle_of(cycle))
    _tell(model, "SET_DRIFT_POLICY", SetDriftPolicy(policy, reason, person), as_json=as_json)


def _tell(model: str, update: str, command: object, *, as_json: bool) -> None:
    check_id(model, "MODEL")
    from cli import learn_models_run as run
    from cli import learn_models_view as view
    from cli import output
    from workflows import names

    done = asyncio.run(run.tell(model, getattr(names, update), command))
    output.emit(as_json, done, lambda: view.told(done))
