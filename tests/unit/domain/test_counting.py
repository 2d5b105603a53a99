"""One thing is one thing, and no share reads as more than it is."""

from fractions import Fraction

import pytest

from domain.counting import agreeing, counted, share


@pytest.mark.parametrize(
    ("number", "said"), [(0, "0 records"), (1, "1 record"), (2, "2 records"), (12_345, "12,345 records")]
)
def test_only_one_is_singular(number, said):
    assert counted(number, "record") == said


@pytest.mark.parametrize(
    ("number", "said"), [(0, "0 diverge"), (1, "1 diverges"), (2, "2 diverge"), (12_345, "12,345 diverge")]
)
def test_a_verb_goes_with_its_number(number, said):
    assert agreeing(number, "diverges", "diverge") == said


@pytest.mark.parametrize(
    ("of_one", "said"),
    [(Fraction(2, 3), "0.6666"), (0.666666667, "0.6666"), (0.74999, "0.7499"), (1.0, "1.0000")],
)
def test_a_share_is_cut_and_never_rounded_up(of_one, said):
    assert share(of_one) == said
