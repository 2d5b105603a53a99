"""Squared distances between all pairs of updates, from their Gram matrix, in one pass over blocks.

A product of matrices by BLAS is the only way that is fast enough for a thousand clients, but the order in
which it adds depends on threads and processor. So it is given whole numbers small enough that every sum it
can make is exact, and then the order does not matter: each row of a chunk is written as (high + low / 2^21)
* scale / 2^21 with whole |high|, |low| <= 2^21, and 2^11 products below 2^42 stay within the 2^53 that a
double counts to. Products of two low parts are left out: each is below 2^-42 of the product of the rows'
largest numbers. (K. Ozaki et al., "Error-free transformations of matrix multiplication", Numerical
Algorithms 59 (2012) 95-118.)
"""

import numpy as np

from domain.learning.strategies.blocks import CHUNK, Block, spans
from domain.learning.strategy import Updates
from domain.learning.tensors import Schema

BITS = 21
"""2 * BITS + log2(CHUNK) is at most 53."""


def squared_distances(schema: Schema, updates: Updates) -> Block:
    """Clients x clients, symmetric, 0 on the diagonal; infinite where a square passes a double's range.

    The same bits whatever the threads and the processor.
    """
    clients = len(updates.clients)
    gram = np.zeros((clients, clients))
    for tensor, start, stop in spans(schema, clients):
        block = updates.block(tensor, start, stop)
        for first in range(0, stop - start, CHUNK):
            with np.errstate(over="ignore", invalid="ignore"):
                gram += _gram(block[:, first : first + CHUNK])
    squares = gram.diagonal()
    with np.errstate(over="ignore", invalid="ignore"):
        distances = squares[:, None] + squares[None, :] - 2 * gram
    distances[np.isnan(distances)] = np.inf
    np.fill_diagonal(distances, 0.0)
    return np.maximum(distances, 0.0)


def squared_norms(schema: Schema, updates: Updates) -> Block:
    """Of each client's update; infinite where it passes a double's range."""
    clients = len(updates.clients)
    norms = np.zeros(clients)
    for tensor, start, stop in spans(schema, clients):
        block = updates.block(tensor, start, stop)
        for first in range(0, stop - start, CHUNK):
            chunk = np.ascontiguousarray(block[:, first : first + CHUNK])
            with np.errstate(over="ignore"):
                norms += np.square(chunk).sum(axis=1)
    return norms


def _gram(chunk: Block) -> Block:
    _, exponents = np.frexp(np.abs(chunk).max(axis=1))  # a power of two above the largest: scaling is exact
    scaled = np.ldexp(chunk, (BITS - exponents)[:, None])
    high = np.rint(scaled)
    low = np.rint(np.ldexp(scaled - high, BITS))
    crossed = high @ low.T
    whole = high @ high.T + np.ldexp(crossed + crossed.T, -BITS)
    gram: Block = np.ldexp(whole, exponents[:, None] + exponents[None, :] - 2 * BITS)
    return gram
