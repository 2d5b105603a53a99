"""Blocks: how large updates are gone through with little of them in memory, and always to the same bits.

Sums over clients are loops in the order of the clients' ids: one elementwise multiply and add for each
client. A reduction or a product of matrices would add in an order that depends on the width of a block, on
threads or on the processor.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from domain.learning.tensors import Schema

Block = NDArray[np.float64]
"""Clients x numbers, or numbers alone where clients were combined."""
CHUNK = 1 << 11
"""Inner sums over numbers are of chunks of this many, so that they are the same whatever a block's width."""
MAX_WIDTH = 1 << 16
MAX_CELLS = 1 << 20
"""A block holds at most so many float64 (8 MiB) unless one chunk of every client is more."""


class Span(NamedTuple):
    """Numbers `start` up to `stop` of a flattened tensor."""

    tensor: str
    start: int
    stop: int


def width(clients: int) -> int:
    """How many numbers of each client a block holds: whole chunks."""
    return max(CHUNK, min(MAX_WIDTH, MAX_CELLS // max(clients, 1)) // CHUNK * CHUNK)


def spans(schema: Schema, clients: int) -> Iterator[Span]:
    """All numbers of a model in the order of its tensors, block by block."""
    step = width(clients)
    for spec in schema:
        for start in range(0, spec.size, step):
            yield Span(spec.name, start, min(start + step, spec.size))


def weighted_sum(block: Block, weights: Sequence[float]) -> Block:
    """Sum of weight * row, added row by row; rows of weight 0 are not looked at."""
    total = np.zeros(block.shape[1])
    product = np.empty_like(total)
    for row, weight in zip(block, weights, strict=True):
        if weight:
            np.multiply(row, weight, out=product)
            np.add(total, product, out=total)
    return total
