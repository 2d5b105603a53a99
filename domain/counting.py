"""Numbers of things, as people write them."""

from fractions import Fraction


def counted(number: int, thing: str) -> str:
    """`1 record`, `2,000 records`: for things whose plural ends in s."""
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"


def agreeing(number: int, one: str, many: str) -> str:
    """`1 diverges`, `2,000 diverge`: for verbs, and things whose plural is irregular."""
    return f"{number:,} {one if number == 1 else many}"


def share(of_one: Fraction | float) -> str:
    """`0.6666`: four decimals, never rounded up, so that none below a threshold reads as the threshold."""
    exact = of_one if isinstance(of_one, Fraction) else Fraction(repr(of_one))
    return f"{exact.numerator * 10_000 // exact.denominator / 10_000:.4f}"
