"""Rows of clients for cycles under kills: the same in every process, or not."""

import os
from datetime import UTC, datetime

import numpy as np

from domain.learning.data_schema import data_schema
from domain.learning.fleet import DataOffer

FEATURES, CLASSES, COUNT = 16, 4, 240
CARELESS = "careless"
_SINCE, _UNTIL = datetime(2026, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
_CENTRES = np.random.Generator(np.random.PCG64(11)).normal(size=(CLASSES, FEATURES))


def made(seed: int, count: int = COUNT):
    """`count` rows around the centres of their classes."""
    draw = np.random.Generator(np.random.PCG64(seed))
    y = draw.integers(0, CLASSES, count)
    x = _CENTRES[y] + draw.normal(scale=1.5, size=(count, FEATURES))
    return {"x": x.astype(np.float32), "y": y}


class Rows:
    """One client's, of whatever time is asked for."""

    def __init__(self, name, rows) -> None:
        self._name, self._rows = name, rows

    def offers(self):
        return (DataOffer(self._name, COUNT, 1.0, _SINCE, _UNTIL),)

    def rows(self, name, since, until):  # noqa: ARG002 # the port's shape
        return self._rows

    def schema(self, name):  # noqa: ARG002 # as above
        return data_schema(self._rows)


def of_client(client):
    return Rows("default", made(int(client.rpartition("-")[2])))


def careless(client):
    """Rows in another order in each process: what comes of them is not what came of them before a kill."""
    rows = made(int(client.rpartition("-")[2]))
    order = np.random.Generator(np.random.PCG64(os.getpid())).permutation(COUNT)
    return Rows(CARELESS, {name: array[order] for name, array in rows.items()})
