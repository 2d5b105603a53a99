"""The digest of what rows are, and not of what they hold."""

import numpy as np
import pytest

from domain.learning.data_schema import data_schema

ROWS = {"x": np.zeros((3, 2)), "y": np.zeros(3, "int64")}


def test_other_rows_of_the_same_kind_have_the_same_digest():
    assert data_schema({"y": np.ones(9, "int64"), "x": np.ones((9, 2))}) == data_schema(ROWS)


@pytest.mark.parametrize(
    "other",
    [{"x": np.zeros((3, 3))}, {"y": np.zeros(3)}, {"z": np.zeros(3)}],
    ids=["shape", "type", "name"],
)
def test_rows_of_another_kind_have_another(other):
    assert data_schema(ROWS | other) != data_schema(ROWS)
