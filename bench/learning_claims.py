"""What the literature says of federated learning, on small real data, with our trainers.

`python -m bench.learning_claims [--seeds N] [--json]`. Shapes, not benchmarks: medians or means over seeds,
each of which is printed.
"""

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from statistics import mean, median
from typing import Any, Literal

from bench.figure import Figure
from bench.learning_rounds import Accuracies, fedavg, fedsgd, scaffold, under_attack, with_stragglers
from bench.learning_tasks import digits, synthetic
from domain.learning.policy import StrategySpec
from domain.learning.trainer import LocalPlan

CLIENTS = 20
SEEDS = 5
MOST = 300
"""Rounds, after which a race is over."""
# Steps of the best of a few lengths for each, as in the paper: .2 to 2 for FedSGD, .03 to .5 for FedAvg.
FEDSGD_IID, FEDSGD_SHARDS = LocalPlan(1, 0, 1.0, 0), LocalPlan(1, 0, 0.7, 0)
E5, E20, E5_SHORT = LocalPlan(5, 10, 0.3, 0), LocalPlan(20, 10, 0.3, 0), LocalPlan(5, 10, 0.1, 0)
RACES = {
    "iid_to_95": (0.95, False, {"fedsgd": (fedsgd, FEDSGD_IID), "e5": (fedavg, E5), "e20": (fedavg, E20)}),
    "shards_to_90": (0.90, True, {"fedsgd": (fedsgd, FEDSGD_SHARDS), "e5": (fedavg, E5)}),
    "shards_to_92": (0.92, True, {"fedavg": (fedavg, E5_SHORT), "scaffold": (scaffold, E5_SHORT)}),
}
LIARS, ATTACKED_ROUNDS = 6, 10
RULES: dict[str, dict[str, float]] = {
    "fedavg": {},
    "median": {},
    "trimmed_mean": {"trim": LIARS},
    "krum": {"byzantine": LIARS},
    "multi_krum": {"byzantine": LIARS},
    "geometric_median": {},
}
STRAGGLING = LocalPlan(20, 10, 0.01, 0)
STRAGGLING_ROUNDS, LAST = 50, 10
LATE, ATTACK = "stragglers", "six_of_twenty_flip"


def rounds_to(target: float, accuracies: Accuracies, most: int = MOST) -> int:
    """The first round whose model is as accurate as `target`; `most` where none is."""
    return next((n for n, found in enumerate(islice(accuracies, most), 1) if found >= target), most)


def measure(seeds: int = SEEDS) -> dict[str, Any]:
    """Rounds of each race and accuracies with stragglers, seed by seed."""
    started = time.perf_counter()
    found: dict[str, Any] = {"seeds": list(range(seeds))}
    for race, (target, shards, kinds) in RACES.items():
        found[race] = {
            kind: [
                rounds_to(target, runs(digits(CLIENTS, seed, shards=shards), plan, seed))
                for seed in range(seeds)
            ]
            for kind, (runs, plan) in kinds.items()
        }
    found[LATE] = {
        "dropped": [_straggling(seed, STRAGGLING, keep=False) for seed in range(seeds)],
        "kept": [_straggling(seed, STRAGGLING, keep=True) for seed in range(seeds)],
        "mu_1": [_straggling(seed, replace(STRAGGLING, proximal=1.0), keep=True) for seed in range(seeds)],
    }
    found[ATTACK] = {
        name: [_attacked(seed, StrategySpec(name, told)) for seed in range(seeds)]
        for name, told in RULES.items()
    }
    return found | {"seconds": time.perf_counter() - started}


def figures() -> list[Figure]:
    """The claims as factors and differences; the bounds leave room for seeds."""
    found = measure()
    return [
        _factor(found, "iid_to_95", ("fedsgd", "e5"), 5, "7.7"),
        _factor(found, "iid_to_95", ("fedsgd", "e20"), 10, "15.3"),
        _factor(found, "shards_to_90", ("fedsgd", "e5"), 2, "2.4"),
        _factor(found, "shards_to_92", ("fedavg", "scaffold"), 1.5, "1.7"),
        _late(found, "keeping the work of 90 % stragglers adds", ("dropped", "kept"), 0.1, ".619 to .762"),
        _late(found, "the proximal term adds to it", ("kept", "mu_1"), 0.0, ".762 to .789"),
        _attack("fedavg", found, 0.2, "<=", ".100"),
        _attack("median", found, 0.88, ">=", ".918"),
        _attack("trimmed_mean", found, 0.88, ">=", ".919"),
        _attack("krum", found, 0.85, ">=", ".915"),
        _attack("multi_krum", found, 0.9, ">=", ".936"),
        _attack("geometric_median", found, 0.88, ">=", "none"),
    ]


def _factor(found: dict[str, Any], race: str, kinds: tuple[str, str], least: float, expected: str) -> Figure:
    slow, quick = kinds
    rounds = {kind: median(found[race][kind]) for kind in (slow, quick)}
    by_seed = _by_seed(found, race, kinds)
    note = f"{slow} {rounds[slow]:g}, {quick} {rounds[quick]:g}; expected {expected}; {by_seed}"
    return Figure(
        f"{race.replace('_', ' ')} %: rounds saved by {quick}",
        rounds[slow] / rounds[quick] if rounds[slow] < MOST else 0.0,  # one that never arrives saves nothing
        "x",
        least,
        note=note,
    )


def _attack(
    rule: str, found: dict[str, Any], bound: float, side: Literal[">=", "<="], expected: str
) -> Figure:
    name, each = f"accuracy by {rule}, {LIARS} of {CLIENTS} flip their change", found[ATTACK][rule]
    note = f"round {ATTACKED_ROUNDS}; expected {expected}; {_by_seed(found, ATTACK, (rule,))}"
    return Figure(name, mean(each), "", bound, side, note)


def _late(found: dict[str, Any], what: str, kinds: tuple[str, str], least: float, expected: str) -> Figure:
    less, more = (mean(found[LATE][kind]) for kind in kinds)
    note = f"{less:.3f} to {more:.3f}; expected {expected}; {_by_seed(found, LATE, kinds)}"
    return Figure(f"accuracy that {what}", more - less, "", least, note=note)


def _by_seed(found: dict[str, Any], claim: str, kinds: Sequence[str]) -> str:
    each = zip(found["seeds"], *(found[claim][kind] for kind in kinds), strict=True)
    return "by seed " + ", ".join(
        f"{seed}: {' to '.join(f'{one:.3g}' for one in reached)}" for seed, *reached in each
    )


def _attacked(seed: int, rule: StrategySpec) -> float:
    rounds = under_attack(digits(CLIENTS, seed, shards=False), E5_SHORT, seed, rule, LIARS)
    return next(islice(rounds, ATTACKED_ROUNDS - 1, None))


def _straggling(seed: int, plan: LocalPlan, *, keep: bool) -> float:
    """The mean accuracy of the last rounds, for single ones differ by who took part."""
    rounds = with_stragglers(synthetic(30, seed, 1, 1), plan, seed, keep=keep)
    return mean(islice(rounds, STRAGGLING_ROUNDS - LAST, STRAGGLING_ROUNDS))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=SEEDS, help="how many, from 0")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    result = measure(asked.seeds)
    print(json.dumps(result, indent=None if asked.json else 1))


if __name__ == "__main__":
    main()
