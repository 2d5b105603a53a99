"""What differential privacy costs in accuracy: DP-FedAvg on scikit-learn's digits, by our own functions.

`python -m bench.privacy [--seeds N]`. 200 clients, a cohort drawn by Poisson sampling of a quarter, 40
rounds, logistic regression, delta 1e-3. Everything is drawn from seeds that are printed. The table is kept in
`cli/learn_measured.json`, from which `moot learn recommend` prints it.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from activities.privacy.accountant import epsilon
from bench.figure import Figure
from bench.privacy_halves import Halves
from bench.privacy_run import DELTA, ROUNDS, SHARE, Adaptive, Central, Local, Summed, digits, run
from domain.learning.discrete_gaussian import sample
from domain.learning.mechanism import Mechanism

KEPT = Path(__file__).parents[1] / "cli" / "learn_measured.json"
SEEDS = 5
HIDDEN = 2
"""Seeds of the methods that hide updates, whose every round is a protocol among 50 clients."""
TASK = (
    "scikit-learn digits, logistic regression of 650 float32 parameters, 200 clients of 7 or 8 rows, Poisson"
    " cohorts of a quarter, 40 rounds of 5 full-batch epochs, clip 0.5, delta 1e-3; training and sums alone,"
    f" in one process; sums that hide updates with seeds 0 to {HIDDEN - 1}"
)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: means over seeds; `seconds` of all rounds, `bytes` of a client a round."""

    method: str
    setting: str
    epsilon: float | None
    accuracy: float
    spread: float
    seconds: float
    bytes: int


@dataclass(frozen=True, slots=True)
class Case:
    """A method as it is set, what it costs over all rounds, and how it releases."""

    method: str
    setting: str
    mechanism: Mechanism | None
    made: Callable[[], Summed]
    seeds: int = SEEDS


def cases() -> list[Case]:
    def dp(setting: str, noise: float, share: float, made: Callable[[], Summed]) -> Case:
        return Case("differential_privacy", setting, Mechanism(noise, share, ROUNDS), made)

    return [
        Case("none", "no clipping, no noise", None, Summed),
        dp("central, noise 1, secret cohorts", 1.0, SHARE, lambda: Central(1.0)),
        dp("central, noise 2, secret cohorts", 2.0, SHARE, lambda: Central(2.0)),
        dp("central, noise 4, secret cohorts", 4.0, SHARE, lambda: Central(4.0)),
        dp("central, noise 2, adaptive, secret cohorts", 2.0, SHARE, lambda: Adaptive(2.0)),
        dp("central, noise 4, public cohorts", 4.0, 1.0, lambda: Central(4.0)),
        dp("local, noise 4, public cohorts", 4.0, 1.0, lambda: Local(4.0)),
        Case("secure_mpc", "masks among the cohort", None, lambda: Halves("secure_mpc"), HIDDEN),
        Case(
            "homomorphic_encryption",
            "CKKS, one client has the key",
            None,
            lambda: Halves("homomorphic_encryption"),
            HIDDEN,
        ),
        Case(
            "hybrid",
            "masks, noise 4, public cohorts",
            Mechanism(4.0, 1.0, ROUNDS),
            lambda: Halves("hybrid", 4.0),
            HIDDEN,
        ),
    ]


def measure(seeds: int = SEEDS) -> list[Row]:
    """Every case, each with seeds 0, 1, …; of the split of the rows, of cohorts and of noise alike."""
    rows = []
    data = [digits(seed) for seed in range(seeds)]
    for case in cases():
        started, count = time.perf_counter(), min(seeds, case.seeds)
        made = [case.made() for _ in range(count)]
        reached = [run(one, data[seed], seed) for seed, one in enumerate(made)]
        seconds = (time.perf_counter() - started) / count
        rows.append(
            Row(
                case.method,
                case.setting,
                epsilon((case.mechanism,), DELTA) if case.mechanism else None,
                statistics.mean(reached),
                statistics.stdev(reached) if count > 1 else 0.0,
                seconds,
                _bytes(made),
            )
        )
    return rows


def _bytes(made: list[Summed]) -> int:
    """Of a client in a round: its update, and where there are messages, all that it sends and is sent."""
    halves = [one for one in made if isinstance(one, Halves)]
    return round(sum(one.sent for one in halves) / sum(one.asked for one in halves)) if halves else 650 * 4


def keep(rows: list[Row], seeds: int) -> None:
    """Write the table that `moot learn recommend` prints, with what it was measured on."""
    said = {
        "task": TASK,
        "seeds": list(range(seeds)),
        "rows": [{name: _short(value) for name, value in asdict(row).items()} for row in rows],
    }
    KEPT.write_text(json.dumps(said, indent=1) + "\n", "utf-8")


def _short(value: object) -> object:
    return round(value, 4) if isinstance(value, float) else value


def figures() -> list[Figure]:
    """The curve beside what an earlier loop reached with other local settings, less what seeds differ by."""
    rows = measure()
    keep(rows, SEEDS)
    asked = {"no clip": 0.919, "noise 1,": 0.918, "noise 2, s": 0.906, "noise 4, s": 0.856}
    found = []
    for case, row in zip(cases(), rows, strict=True):
        target = next((value - 0.02 for name, value in asked.items() if name in row.setting), None)
        spent = "no privacy" if row.epsilon is None else f"epsilon {row.epsilon:.2f}"
        note = f"seeds 0 to {case.seeds - 1}, spread {row.spread:.3f}, {row.seconds:.1f} s a run"
        found.append(Figure(f"digits, {row.setting}, {spent}", row.accuracy, "accuracy", target, note=note))
    return [*found, _sampler()]


def _sampler() -> Figure:
    chance = np.random.Generator(np.random.PCG64(0))
    took = []
    for _ in range(5):
        started = time.perf_counter()
        sample(2.0**20, 100_000, chance.bytes)
        took.append(time.perf_counter() - started)
    note = "scale 2^20, median of 5"
    return Figure("100,000 exact discrete Gaussian numbers", statistics.median(took), "s", 1.0, "<=", note)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.privacy", description=__doc__)
    parser.add_argument("--seeds", type=int, default=SEEDS)
    rows = measure(seeds := parser.parse_args().seeds)
    print(f"{TASK}; seeds 0 to {seeds - 1}")
    for row in rows:
        spent = "-" if row.epsilon is None else f"{row.epsilon:.2f}"
        print(f"{row.setting:<45} {spent:>8} {row.accuracy:.3f} +- {row.spread:.3f} {row.seconds:.2f} s")


if __name__ == "__main__":
    main()
