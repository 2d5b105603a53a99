from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.learning.shamir import PRIME, combine, lagrange, split
from domain.refusal import Refusal

secrets = st.binary(min_size=16, max_size=16)


def coefficients(count, seed):
    draw = Random(seed)  # noqa: S311 # no secret
    return [draw.randrange(PRIME) for _ in range(count)]


@given(secrets, st.integers(1, 8), st.integers(0, 4), st.randoms())
def test_any_threshold_of_the_shares_gives_the_secret(secret, threshold, more, random):
    points = random.sample(range(1, 1000), threshold + more)
    dealt = dict(zip(points, split(secret, coefficients(threshold - 1, 1), points), strict=True))
    there = random.sample(points, threshold)
    assert combine(lagrange(tuple(there)), [dealt[point] for point in there]) == secret
    assert combine(lagrange(tuple(points)), list(dealt.values())) == secret


@given(secrets, st.integers(2, 6))
def test_one_share_too_few_gives_something_else(secret, threshold):
    points = tuple(range(1, threshold))
    shares = split(secret, coefficients(threshold - 1, 2), points)
    try:
        found = combine(lagrange(points), shares)
    except Refusal:
        return
    assert found != secret


def test_by_hand():
    assert split((7).to_bytes(16, "big"), [3, 2], [1, 2, 3]) == [12, 21, 34]  # 7 + 3x + 2x^2
    assert combine(lagrange((1, 2, 3)), [12, 21, 34]) == (7).to_bytes(16, "big")
    with pytest.raises(Refusal, match="shares: 2 are given, and 3 are needed"):
        combine(lagrange((1, 2, 3)), [12, 21])
    assert split((7).to_bytes(16, "big"), [], [1, 9]) == [7, 7]


@pytest.mark.parametrize("points", [(1, 1), (0, 1), (1, PRIME), (1, -1)])
def test_points_that_give_no_secret_are_refused(points):
    with pytest.raises(Refusal, match="two are of one client, or one is of none"):
        lagrange(points)


def test_shares_of_no_secret_are_refused():
    with pytest.raises(Refusal, match="some share is not the one that was dealt"):
        combine(lagrange((1,)), [2**128])


def test_the_modulus_is_a_prime():
    """Miller and Rabin, forty rounds: a composite passes with a chance below 2^-80."""
    odd, twos = PRIME - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    draw = Random(3)  # noqa: S311 # no secret
    for _ in range(40):
        power = pow(draw.randrange(2, PRIME - 1), odd, PRIME)
        squares = [pow(power, 2**n, PRIME) for n in range(twos)]
        assert power == 1 or PRIME - 1 in squares


def test_no_number_between_2_to_128_and_the_modulus_is_a_prime():
    assert all(pow(3, n - 1, n) != 1 for n in range(2**128, PRIME))  # Fermat, to the base 3
    assert pow(3, PRIME - 1, PRIME) == 1
