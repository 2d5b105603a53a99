"""One thing is one thing."""

import pytest

from domain.counting import counted


@pytest.mark.parametrize(
    ("number", "said"), [(0, "0 records"), (1, "1 record"), (2, "2 records"), (12_345, "12,345 records")]
)
def test_only_one_is_singular(number, said):
    assert counted(number, "record") == said
