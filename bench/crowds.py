"""How well `equal`, `posterior` and `calibrated` know what they know, on generated crowds.

`python -m bench.crowds [--seed N] [--crowds N] [--json]`. Three groups of families are told apart: those that
`calibrated` was developed on, those that only an early version was measured on, and those that were written
after it was settled. No figure here is kept from an earlier run.
"""

import argparse
import json
import time
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from bench import crowd_families as seen
from bench import crowd_families_held_out as unseen
from bench.crowd_families import Known, Random
from bench.figure import Figure
from domain.consensus import calibrated, dawid_skene
from domain.consensus.crowd import Crowd, Integers, Numbers

GROUPS: dict[str, tuple[Callable[[Random], Known], ...]] = {
    "developed_on": (
        seen.independent,
        seen.few_labels,
        seen.imbalanced,
        seen.clique,
        seen.hard_items,
        seen.spammers,
    ),
    "looked_at": (
        seen.many_choices,
        seen.adversaries,
        seen.large_clique,
        seen.small_cliques,
        seen.decoys,
        seen.everyone_votes,
        seen.sparse_hard,
    ),
    "held_out": (
        unseen.schools,
        unseen.scale,
        unseen.passers_by,
        unseen.chains,
        unseen.everything_at_once,
    ),
}
WEIGHTINGS: dict[str, Callable[[Crowd], Numbers]] = {
    "equal": Crowd.shares,
    "posterior": lambda crowd: dawid_skene.estimate(crowd).posterior,
    "calibrated": lambda crowd: calibrated.estimate(crowd).posterior,
}
FIGURES = ("accuracy", "ece", "brier")


def measure(seed: int = 0, crowds: int = 6) -> dict[str, Any]:
    """Mean figures of each weighting over `crowds` crowds of every family, by group and family."""
    started = time.perf_counter()
    groups: dict[str, Any] = {}
    for group, families in GROUPS.items():
        groups[group] = {family.__name__: _family(family, seed, crowds) for family in families}
        groups[group]["mean"] = {
            name: {
                figure: float(np.mean([family[name][figure] for family in groups[group].values()]))
                for figure in FIGURES
            }
            for name in WEIGHTINGS
        }
    return {"seed": seed, "crowds": crowds, "groups": groups, "seconds": time.perf_counter() - started}


def figures() -> list[Figure]:
    """`calibrated` against `posterior` over each group: no worse in accuracy, better in what it states."""
    found = []
    for group, families in measure()["groups"].items():
        plain, ours, equal = (families["mean"][name] for name in ("posterior", "calibrated", "equal"))
        name = group.replace("_", " ")
        asked: tuple[tuple[str, Literal[">=", "<="]], ...] = (
            ("accuracy", ">="),
            ("ece", "<="),
            ("brier", "<="),
        )
        found += [
            Figure(
                f"{figure} of calibrated, crowds {name}",
                ours[figure],
                "",
                plain[figure],
                bound,
                f"posterior {plain[figure]:.4f}, equal {equal[figure]:.4f}",
            )
            for figure, bound in asked
        ]
    return found


def drawn_crowds(family: Callable[[Random], Known], seed: int, number: int) -> list[Known]:
    """`number` crowds of a family; the same seed gives the same crowds."""
    lots = np.random.SeedSequence([seed, *family.__name__.encode()]).spawn(number)
    return [family(np.random.default_rng(lot)) for lot in lots]


def _family(family: Callable[[Random], Known], seed: int, number: int) -> dict[str, dict[str, float]]:
    known = drawn_crowds(family, seed, number)
    found = {}
    for name, weighting in WEIGHTINGS.items():
        rows = [scores(weighting(one.crowd), one.truth) for one in known]
        found[name] = dict(zip(FIGURES, np.mean(rows, axis=0).tolist(), strict=True))
    return found


def scores(posterior: Numbers, truth: Integers) -> tuple[float, float, float]:
    """Accuracy, expected calibration error and Brier score."""
    return accuracy(posterior, truth), calibration_error(posterior, truth), brier(posterior, truth)


def accuracy(posterior: Numbers, truth: Integers) -> float:
    """Share of items whose most probable choice is true; a tie counts as the share of it that is true."""
    return float(_right(posterior, truth).mean())


def brier(posterior: Numbers, truth: Integers) -> float:
    """Mean squared distance from the truth's unit vector, 0..2 (G. W. Brier 1950)."""
    return float(np.mean(((posterior - np.eye(posterior.shape[1])[truth]) ** 2).sum(axis=1)))


def calibration_error(posterior: Numbers, truth: Integers, bins: int = 15) -> float:
    """Expected calibration error of the most probable choice over `bins` equally wide bins.

    Guo and others, "On Calibration of Modern Neural Networks", 2017, with 15 bins as there. Of tied choices
    none is picked, or the order of the choices would count: the first is the frequent one in some families.
    """
    stated = posterior.max(axis=1)
    bin_of = np.minimum((stated * bins).astype(int), bins - 1)
    gaps = np.bincount(bin_of, stated - _right(posterior, truth), bins)
    return float(np.abs(gaps).sum() / len(truth))


def _right(posterior: Numbers, truth: Integers) -> Numbers:
    """1 where the most probable choice is true, 0 where it is not, a share where several lead."""
    best: NDArray[np.bool_] = posterior >= posterior.max(axis=1, keepdims=True) - 1e-12
    right: Numbers = best[np.arange(len(truth)), truth] / best.sum(axis=1)
    return right


def table(result: dict[str, Any]) -> str:
    """The figures as text, one family a line."""
    head = "".join(f"{name:>27}" for name in WEIGHTINGS)
    lines = [f"{'':20}{head}", f"{'':20}" + f"{'acc':>11}{'ece':>8}{'brier':>8}" * len(WEIGHTINGS)]
    for group, families in result["groups"].items():
        lines.append(group)
        for family, found in families.items():
            cells = "".join(
                f"{found[name]['accuracy']:11.4f}{found[name]['ece']:8.4f}{found[name]['brier']:8.4f}"
                for name in WEIGHTINGS
            )
            lines.append(f"  {family:18}{cells}")
    return "\n".join(lines)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--crowds", type=int, default=6, help="crowds of each family")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    result = measure(asked.seed, asked.crowds)
    print(json.dumps(result) if asked.json else table(result))


if __name__ == "__main__":
    main()
