"""Writes the newest results into the README, between its markers: `python -m bench.readme`."""

import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
README, RESULTS = ROOT / "README.md", ROOT / "bench" / "results"
BEGIN, END = "<!-- figures -->", "<!-- /figures -->"
NONE = "No figures are kept yet: run `make bench`."
_PARTS = {
    "projector": "Kafka to Postgres",
    "merkle": "The Merkle tree, 1,000,000 leaves",
    "stack": "The running stack",
    "deliberation": "One deliberation",
    "docket": "A table of recorded ballots",
    "conflict": "A case on all four levels",
    "storm": "A storm of conflicts",
    "context": "Shared context",
    "regions": "Regions that were cut off",
    "crowds": "Probabilities on generated crowds",
    "learning_round": "A round of federated learning, all durable",
    "secure_sum": "Secure sums of 100,000 numbers",
    "learning_large": "A model of 10 million parameters",
    "learning_claims": "Federated learning on scikit-learn's digits",
    "privacy": "Differential privacy on digits",
}


def newest(results: Path = RESULTS) -> dict[str, Any] | None:
    """Of each part the newest result that has it, with the run's time and machine."""
    found: dict[str, Any] = {}
    for file in sorted(results.glob("*.json"), reverse=True):
        run = json.loads(file.read_text("utf-8"))
        for part, figures in run["figures"].items():
            found.setdefault(part, {"at": run["at"], "machine": run["machine"], "figures": figures})
    return found or None


def section(found: dict[str, Any] | None) -> str:
    """The figures as Markdown, without the markers."""
    if found is None:
        return NONE
    known = [part for part in _PARTS if part in found]
    return "\n\n".join(_part(part, found[part]) for part in [*known, *sorted(found.keys() - set(known))])


def filled(text: str, figures: str) -> str:
    """`text` with `figures` between its markers.

    Raises:
        ValueError: the markers are not there once each, in order.
    """
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end or BEGIN in after or END in after:
        raise ValueError(f"{BEGIN} and {END} are needed once each, in this order")
    return f"{before}{BEGIN}\n{figures}\n{END}{after}"


def _part(name: str, run: dict[str, Any]) -> str:
    machine = run["machine"]
    head = (
        f"**{_PARTS.get(name, name)}** ({run['at'][:10]}, {machine['cores']} cores, "
        f"{machine['memory_gib']:g} GiB, {machine['system']}, Python {machine['python']})"
    )
    rows = [_row(figure) for figure in run["figures"]]
    return "\n".join([head, "", "| figure | measured | asked | met | note |", "|---|---|---|---|---|", *rows])


def _row(figure: dict[str, Any]) -> str:
    asked = "" if figure["target"] is None else f"{figure['bound']} {figure['target']:,g}"
    met = {None: "", True: "yes", False: "**no**"}[figure["met"]]
    value = figure["value"]
    shown = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
    measured = f"{shown} {figure['unit']}".strip()
    return f"| {figure['name']} | {measured} | {asked} | {met} | {figure['note']} |"


def main() -> int:
    README.write_text(filled(README.read_text("utf-8"), section(newest())), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
