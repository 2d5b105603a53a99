"""Trimmed mean: of each number the mean over clients without the `trim` least and the `trim` largest.

D. Yin et al., "Byzantine-robust distributed learning: towards optimal statistical rates", ICML 2018
(arXiv:1803.01498), algorithm 1, option II; its share beta of the clients is `trim` / clients.
"""

from domain.learning.strategies.blocks import Block, weighted_sum
from domain.learning.strategies.composed import Combined, Composed
from domain.learning.strategies.median import ordered
from domain.learning.strategies.settings import BYZANTINE, RATE, Settings, needs
from domain.learning.strategy import Updates
from domain.learning.tensors import Schema


def _rule(_schema: Schema, _updates: Updates, settings: Settings) -> Combined:
    trim = int(settings["trim"])

    def change(block: Block) -> Block:
        kept = ordered(block)[trim : len(block) - trim]
        return weighted_sum(kept, [1.0] * len(kept)) / len(kept)

    return Combined(change)


def _fits(settings: Settings, clients: int) -> None:
    trim = int(settings["trim"])
    needs("trimmed_mean", clients, 2 * trim + 1, f"n > 2 trim (trim = {trim})")


TRIMMED_MEAN = Composed(
    "trimmed_mean",
    _rule,
    individual=True,
    bounds={"rate": RATE, "trim": BYZANTINE},
    fits=_fits,
)
