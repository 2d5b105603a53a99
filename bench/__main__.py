"""`make bench`: every figure beside what is asked of it, as a table, and as JSON under `bench/results/`."""

import argparse
import json
import os
import platform
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench import (
    conflict,
    context,
    crowds,
    deliberation,
    docket,
    footprint,
    learning_claims,
    learning_large,
    learning_round,
    merkle,
    privacy,
    projector,
    regions,
    secure_sum,
    storm,
)
from bench.figure import Figure
from bench.stack import running

RESULTS = Path(__file__).parent / "results"


def on_a_stack() -> list[Figure]:
    """What is measured on a whole running stack, the second time that its folder is used."""
    with tempfile.TemporaryDirectory(prefix="moot-bench-") as folder:
        with running(Path(folder)):
            pass  # the first start makes the folder; the next one is warm
        with running(Path(folder)) as stack:
            return [footprint.warm_start(stack), *footprint.measure(stack)]


PARTS: dict[str, Callable[[], list[Figure]]] = {
    "projector": projector.figures,
    "merkle": merkle.figures,
    "stack": on_a_stack,
    "deliberation": deliberation.figures,
    "docket": docket.figures,
    "conflict": conflict.figures,
    "storm": storm.figures,
    "context": context.figures,
    "regions": regions.figures,
    "crowds": crowds.figures,
    "learning_round": learning_round.figures,
    "secure_sum": secure_sum.figures,
    "learning_large": learning_large.figures,
    "learning_claims": learning_claims.figures,
    "privacy": privacy.figures,
}


def main() -> int:
    """Measure the parts named, or all; 1 if a figure was missed."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], help="what to measure; by default all")
    parser.add_argument(
        "--seconds",
        type=float,
        default=context.SECONDS,
        help="how long shared context is written at full speed",
    )
    parser.add_argument(
        "--flower-clients",
        type=int,
        default=secure_sum.FLOWER_CLIENTS,
        help="of Flower's own secure sum; 100, as of ours, takes minutes",
    )
    asked = parser.parse_args()
    names = asked.parts or list(PARTS)
    parts = PARTS | {
        "context": partial(context.figures, asked.seconds),
        "secure_sum": partial(secure_sum.figures, asked.flower_clients),
    }
    figures: dict[str, list[Figure]] = {}
    try:
        for name in names:
            sys.stderr.write(f"measuring {name}\n")
            figures[name] = parts[name]()
            _print(name, figures[name])
    finally:  # a part that fails does not take along what was measured before it
        if figures:
            file = _keep(figures)
            print(f"kept in {file.relative_to(Path.cwd()) if file.is_relative_to(Path.cwd()) else file}")
    return int(any(figure.met is False for part in figures.values() for figure in part))


def _print(name: str, figures: list[Figure]) -> None:
    grid = Table(title=name, title_justify="left")
    for column in ("figure", "measured", "asked", "met", "note"):
        grid.add_column(column, justify="right" if column in ("measured", "asked") else "left")
    for figure in figures:
        asked = "" if figure.target is None else f"{figure.bound} {figure.target:,g}"
        met = {None: "", True: "yes", False: "NO"}[figure.met]
        grid.add_row(figure.name, f"{_shown(figure.value)} {figure.unit}", asked, met, figure.note)
    Console(width=140 if not sys.stdout.isatty() else None).print(grid)


def _shown(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def _keep(figures: dict[str, list[Figure]]) -> Path:
    RESULTS.mkdir(exist_ok=True)
    now = datetime.now(UTC)
    found = {
        "at": now.isoformat(timespec="seconds"),
        "machine": _machine(),
        "figures": {name: [asdict(f) | {"met": f.met} for f in part] for name, part in figures.items()},
    }
    file = RESULTS / f"{now:%Y%m%d-%H%M%S}.json"
    file.write_text(json.dumps(found, indent=1) + "\n")
    return file


def _machine() -> dict[str, object]:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "cores": os.cpu_count(),
        "memory_gib": round(memory, 1),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "packages": {
            name: version(name) for name in ("aiokafka", "asyncpg", "msgspec", "numpy", "temporalio")
        },
    }


if __name__ == "__main__":
    sys.exit(main())
