"""Samples of the discrete Gaussian, held against its exact distribution."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.learning import discrete_gaussian
from domain.learning.discrete_gaussian import sample
from domain.refusal import Refusal
from tests.unit.domain.learning.draws import stream

# The 99.9 % quantile of chi-square by degrees of freedom (Abramowitz and Stegun, table 26.8).
QUANTILE = {5: 20.515, 11: 31.264, 31: 61.098}


def expected(scale, values):
    """The probabilities of whole numbers, by the definition."""
    reach = range(-int(12 * scale) - 5, int(12 * scale) + 6)
    weight = sum(math.exp(-(k * k) / (2 * scale * scale)) for k in reach)
    return np.array([math.exp(-(k * k) / (2 * scale * scale)) / weight for k in values])


def chi_square(found, scale, reach):
    """Over the values -reach to reach, with what lies outside in one cell more."""
    values = np.arange(-reach, reach + 1)
    counts = np.array([(found == k).sum() for k in values])
    chances = expected(scale, values)
    counts = np.append(counts, found.size - counts.sum())
    chances = np.append(chances, 1 - chances.sum())
    return float((np.square(counts - found.size * chances) / (found.size * chances)).sum())


@pytest.mark.parametrize(("scale", "reach"), [(0.7, 2), (1.0, 2), (2.5, 5), (7.3, 15)])
def test_samples_are_distributed_as_defined(scale, reach):
    found = sample(scale, 20_000, stream(f"chi {scale}"))
    assert chi_square(found, scale, reach) < QUANTILE[2 * reach + 1]


def test_rounded_gaussian_samples_would_not_pass():
    """The negative control: the same test tells a rounded normal sample from a discrete Gaussian one."""
    uniform = np.frombuffer(stream("control")(8 * 40_000), "<u8") / 2.0**64
    normal = np.sqrt(-2 * np.log(uniform[:20_000])) * np.cos(2 * np.pi * uniform[20_000:])
    assert chi_square(np.rint(0.7 * normal).astype(np.int64), 0.7, 2) > QUANTILE[5]


def test_a_large_scale_has_its_mean_variance_and_kurtosis():
    found = sample(2.0**20, 50_000, stream("large")) / 2.0**20
    assert abs(found.mean()) < 4 / math.sqrt(50_000)
    assert abs(found.var() - 1) < 4 * math.sqrt(2 / 50_000)
    assert abs((found**4).mean() - 3) < 4 * math.sqrt(96 / 50_000)


def test_the_same_bytes_give_the_same_samples_and_other_bytes_others():
    once, again = (sample(5.0, 100, stream("a")) for _ in range(2))
    assert (once == again).all()
    assert (once != sample(5.0, 100, stream("b"))).any()


def test_what_is_too_close_to_tell_is_decided_by_further_bits_and_comes_out_the_same(monkeypatch):
    """A coarse bound sends many decisions the exact way, which must not change any."""
    plain = sample(3.7, 2_000, _frozen("same"))
    monkeypatch.setattr(discrete_gaussian, "_SLACK", 1e-3)
    assert (sample(3.7, 2_000, _frozen("same")) == plain).all()


def _frozen(seed):
    """The same proposals whether or not words are drawn in between for what is too close to tell."""
    batches, words = stream(seed), stream(f"{seed} words")
    return lambda count: words(count) if count == 8 else batches(count)


def test_further_bits_that_do_not_tell_either_are_followed_by_more():
    words = iter([bytes(8), bytes(8), b"\x01" + bytes(7), stream("tail")(8), stream("tail")(8)])
    # U is below 2^-117 and below 2^-181 still, then near 2^-245 or above.
    found = discrete_gaussian._laplace_exactly(10, 0, lambda _: next(words))
    assert 1690 < found < 1710


def test_a_chance_is_compared_with_bits_until_one_is_larger():
    scale, magnitude = 3.7, 0
    exponent = (scale * scale / 4) ** 2 / (2 * scale * scale)
    at = int(math.exp(-exponent) * 2**53)
    low = discrete_gaussian._accepted_exactly(scale, magnitude, at - 2, lambda _: bytes(8))
    high = discrete_gaussian._accepted_exactly(scale, magnitude, at + 2, lambda _: bytes(8))
    assert (low, high) == (True, False)


def test_equal_bits_are_followed_by_more_until_they_differ():
    exact = _chance_bits(2.0, 0, 53 + 128)
    words = [
        (exact >> 64 & (2**64 - 1)).to_bytes(8, "little"),
        ((exact & (2**64 - 1)) + 5).to_bytes(8, "little"),
    ]
    draws = iter(words)
    assert discrete_gaussian._accepted_exactly(2.0, 0, exact >> 128, lambda _: next(draws)) is False
    assert next(draws, None) is None


def _chance_bits(scale, magnitude, bits):
    import decimal

    with decimal.localcontext(decimal.Context(prec=120)):
        wide = decimal.Decimal(scale)
        exponent = (magnitude - wide * wide / (int(scale) + 1)) ** 2 / (2 * wide * wide)
        return int((-exponent).exp() * decimal.Decimal(2) ** bits)


@pytest.mark.parametrize("scale", [0.0, -1.0, math.nan, 2.0**41])
def test_a_scale_that_cannot_be_is_refused(scale):
    with pytest.raises(Refusal, match="scale"):
        sample(scale, 1, stream("x"))


@given(st.floats(1e-3, 2.0**30), st.integers(0, 50), st.integers())
def test_so_many_are_given_as_were_asked_for(scale, size, seed):
    found = sample(scale, size, stream(seed))
    assert (found.shape, found.dtype) == ((size,), np.int64)
