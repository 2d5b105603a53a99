"""`moot learn recommend`: a privacy method by needs, beside what was measured and what is written."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.resources import files
from textwrap import wrap
from typing import Any, cast

import click

from cli import output
from cli.learn_literature import LITERATURE
from domain.learning.policy import METHODS
from domain.learning.recommend import NEEDS, Need, Recommendation, recommend

EPILOG = """\b
Examples:
  moot learn recommend --sensitivity high
  moot learn recommend --sensitivity medium --performance low --accuracy high --json
"""
_NEED = click.Choice(NEEDS)
_WIDTH = 100


@click.command("recommend", short_help="Which privacy method to begin with.", epilog=EPILOG)
@click.option("--sensitivity", type=_NEED, required=True, help="What it harms to learn about one client.")
@click.option("--performance", type=_NEED, default="medium", show_default=True, help="Do time, bytes matter?")
@click.option("--accuracy", type=_NEED, default="medium", show_default=True, help="May it be lost?")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def recommendation(sensitivity: str, performance: str, accuracy: str, *, as_json: bool) -> None:
    """Name a privacy method by three needs, and why.

    Beside it: what `python -m bench privacy` measured of each method on one task, and what the literature
    says. A method that was never measured has no figures here.
    """
    said = recommend(cast(Need, sensitivity), cast(Need, performance), cast(Need, accuracy))
    table = measured()
    literature = [dict(zip(("method", "says", "source"), one, strict=True)) for one in LITERATURE]
    data = asdict(said) | {"measured": table, "literature": literature}
    output.emit(as_json, data, lambda: "\n".join([*_human(said), "", *_table(table), "", *_written()]))


def measured() -> Mapping[str, Any] | None:
    """The table that the bench wrote, or None where it never ran."""
    file = files("cli") / "learn_measured.json"
    if not file.is_file():
        return None
    found: Mapping[str, Any] = json.loads(file.read_text("utf-8"))
    return found


def _human(said: Recommendation) -> list[str]:
    return [
        f"{said.method} (privacy level {said.level})",
        *(f"  why       {line}" for line in said.why),
        *(f"  but       {line}" for line in said.gives_up),
        *(f"  instead   {line}" for line in said.instead),
    ]


def _table(found: Mapping[str, Any] | None) -> list[str]:
    if found is None:
        return ["Nothing was measured yet: run `python -m bench privacy`."]
    rows = found["rows"]
    missing = [name for name in METHODS if name not in {row["method"] for row in rows}]
    return [
        *wrap(f"Measured, {len(found['seeds'])} seeds: {found['task']}.", _WIDTH),
        "Seconds: of a whole run with all its clients. Bytes: what a client sends each round.",
        f"  {'method, and how':<44} {'epsilon':>8} {'accuracy':>15} {'seconds':>8} {'bytes':>8}",
        *(line for name in METHODS if name not in missing for line in _of_method(name, rows)),
        *(f"  {name:<22} not measured" for name in missing),
    ]


def _of_method(name: str, rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """The name on a line of its own: beside it a row would be wider than 100 columns."""
    return [f"  {name}", *(_row(row) for row in rows if row["method"] == name)]


def _row(row: Mapping[str, Any]) -> str:
    spent = "-" if row["epsilon"] is None else f"{row['epsilon']:.2f}"
    reached = f"{row['accuracy']:.3f} +- {row['spread']:.3f}"
    seconds = f"{row['seconds']:.2f}"
    return f"    {row['setting']:<42} {spent:>8} {reached:>15} {seconds:>8} {row['bytes']:>8,}"


def _written() -> list[str]:
    return [
        "In the literature:",
        *(
            line
            for method, says, source in LITERATURE
            for line in wrap(
                f"{method:<22} {says} ({source})", _WIDTH, initial_indent="  ", subsequent_indent=" " * 25
            )
        ),
    ]
