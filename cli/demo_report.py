"""The demo's tables."""

import io
from collections import Counter
from typing import Any

from rich.console import Console
from rich.table import Table

from activities.docket_tasks import DocketResults
from cli.docket_report import said

WIDTH = 100


def patients(results: dict[str, DocketResults]) -> str:
    """Each patient under every weighting, the observers' accounts, and what the model learned."""
    text = io.StringIO()
    console = Console(file=text, width=WIDTH, highlight=False, no_color=True)
    console.print(_items(results))
    console.print(_observers(results))
    found = facts(results)
    console.print(
        f"   EM: log-likelihood {found['log_likelihood']:.4f} after {found['iterations']} iterations\n"
        f"   patients in classes {'/'.join(found['classes'])}: "
        f"{'/'.join(map(str, found['classes'].values()))}; "
        f"majority overruled on patients {', '.join(found['overruled'])}"
    )
    return text.getvalue().rstrip("\n")


def facts(results: dict[str, DocketResults]) -> dict[str, Any]:
    """What the posterior docket came to, for programs and for the line under the table."""
    posterior = results["posterior"]
    if posterior.model is None:
        raise AssertionError("weighting posterior has a model")
    classes = Counter(item.leading or "tie" for item in posterior.items)
    return {
        "log_likelihood": posterior.model.log_likelihood,
        "iterations": posterior.model.iterations,
        "classes": dict(sorted(classes.items())),
        "overruled": [i.item for i in posterior.items if i.majority and i.leading != i.majority],
        "consensus": {name: sum(i.consensus is not None for i in r.items) for name, r in results.items()},
    }


def _items(results: dict[str, DocketResults]) -> Table:
    grid = Table(pad_edge=False)
    for name in ("patient", "majority", *results):
        grid.add_column(name)
    grid.add_column("posterior of leading", justify="right")
    grid.add_column("rounds", justify="right")
    grid.add_column("status (posterior)")
    for lines in zip(*(r.items for r in results.values()), strict=True):
        last = lines[-1]
        grid.add_row(
            last.item,
            said(last.majority, last.majority_tied),
            *(said(line.consensus, line.tied) for line in lines),
            f"{last.agreement:.4f}",
            str(last.rounds_required),
            last.status,
        )
    return grid


def _observers(results: dict[str, DocketResults]) -> Table:
    grid = Table(pad_edge=False)
    grid.add_column("observer")
    for name in ("ballots", "reputation", "accuracy (EM)"):
        grid.add_column(name, justify="right")
    for reputed, estimated in zip(results["reputation"].voters, results["posterior"].voters, strict=True):
        accuracy = "-" if estimated.accuracy is None else f"{estimated.accuracy:.4f}"
        grid.add_row(reputed.voter, str(reputed.ballots), f"{reputed.reputation:.4f}", accuracy)
    return grid
