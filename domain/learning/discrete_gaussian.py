"""Exact samples of the discrete Gaussian, from uniform bytes (Canonne, Kamath, Steinke 2020, algorithm 3).

Whole numbers k are drawn with a probability proportional to exp(-k^2 / 2 scale^2): no rounding of a real
sample, whose lowest bits can give away what was noised (Mironov 2012).

What is exact: every decision. A uniform number is known by its first 53 bits; what is compared with it is
computed in float64 with a bound on its error. Where the two cannot be told apart, which happens about once
in 2^45 / scale numbers, further bits are drawn and the comparison is repeated in decimals of growing
precision, whose `exp` and `ln` are rounded correctly. So no decision rests on a rounding, and machines whose
`exp` differ in the last bit draw the same numbers from the same bytes.

What differs from the paper's algorithm: the Laplace proposal is drawn by inversion, floor(-t ln U), instead
of by counting Bernoulli trials, which gives the same distribution; and all proposals of a batch at once.
"""

import decimal
import math
from collections.abc import Callable
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from domain.refusal import Refusal

Draw = Callable[[int], bytes]
"""So many uniform bytes, each time others; the same numbers come of the same bytes."""
Integers = NDArray[np.int64]
Floats = NDArray[np.float64]

MAX_SCALE = 2.0**40
_ULP = 2.0**-53
_SLACK = 64 * _ULP
"""Far above the few units in the last place that numpy's `exp`, `log`, and our own steps are wrong by."""
_BATCH = 1 << 17
_TRIES = 1.4
"""Proposals a sample, nearly: of a large scale 76 % are taken."""
_WORD = 8


def sample(scale: float, size: int, draw: Draw) -> Integers:
    """`size` independent numbers of the discrete Gaussian on the integers, of parameter `scale`.

    Their variance is scale^2 within 1e-6 of it for a scale of 1 or more, and smaller below.

    Raises:
        Refusal: `scale` is not above 0 and at most 2^40.
    """
    if not 0 < scale <= MAX_SCALE:
        raise Refusal("scale", f"{scale:g} is outside above 0 to {MAX_SCALE:g}")
    found = np.empty(size, np.int64)
    done = 0
    while done < size:
        taken = _batch(scale, min(_BATCH, int((size - done) * _TRIES) + 16), draw, _SLACK)
        taken = taken[: size - done]
        found[done : done + taken.size] = taken
        done += taken.size
    return found


def _batch(scale: float, tries: int, draw: Draw, slack: float) -> Integers:
    """Those of `tries` proposals that are taken, in their order."""
    words = np.frombuffer(draw(2 * _WORD * tries), "<u8")
    size, coin = words[:tries], words[tries:]
    magnitude = _laplace(_width(scale), size >> np.uint64(11), draw, slack)
    negative = (size & np.uint64(1)).astype(bool)  # a bit that the magnitude did not use
    value: Integers = np.where(negative, -magnitude, magnitude)
    kept = ~(negative & (magnitude == 0))  # else zero would come twice as often as it should
    kept &= _accepted(scale, magnitude, coin >> np.uint64(11), draw, slack)
    taken: Integers = value[kept]
    return taken


def _width(scale: float) -> int:
    """The scale of the Laplace proposal; any positive whole number would do, this one is seldom refused."""
    return math.floor(scale) + 1


def _laplace(width: int, bits: NDArray[np.uint64], draw: Draw, slack: float) -> Integers:
    """floor(-width ln U) for uniform U in (0, 1): geometric, P(X >= k) = exp(-k / width)."""
    least = bits.astype(np.float64) * _ULP  # U is in [least, least + 2^-53)
    with np.errstate(divide="ignore"):
        high, low = -width * np.log(least), -width * np.log(least + _ULP)
    low, high = low - slack * (low + width), high + slack * (high + width)
    sure = np.floor(low) == np.floor(high)
    found = np.zeros(bits.size, np.int64)
    found[sure] = np.floor(low[sure]).astype(np.int64)
    for index in np.flatnonzero(~sure):
        found[index] = _laplace_exactly(width, int(bits[index]), draw)
    return found


def _accepted(
    scale: float, magnitude: Integers, bits: NDArray[np.uint64], draw: Draw, slack: float
) -> NDArray[np.bool_]:
    """Whether U < exp(-(magnitude - scale^2 / width)^2 / (2 scale^2))."""
    width = _width(scale)
    ratio = scale * scale / width
    far = np.maximum(magnitude, ratio)
    exponent = np.square(magnitude - ratio) / (2 * scale * scale)
    chance = np.exp(-exponent)
    error = chance * slack * (1 + np.square(far) / (scale * scale)) + 1e-300
    least = bits.astype(np.float64) * _ULP
    sure_yes: NDArray[np.bool_] = least + _ULP <= chance - error
    sure_no = least >= chance + error
    for index in np.flatnonzero(~(sure_yes | sure_no)):
        sure_yes[index] = _accepted_exactly(scale, int(magnitude[index]), int(bits[index]), draw)
    return sure_yes


def _laplace_exactly(width: int, bits: int, draw: Draw) -> int:
    """The same with as many further bits of U as it takes."""
    known = 53
    while True:
        bits, known = bits << 64 | int.from_bytes(draw(_WORD), "little"), known + 64
        with decimal.localcontext(_precise(known)):
            unit, error = decimal.Decimal(1 << known), decimal.Decimal(2) ** -known
            if bits:
                low, high = (-width * (decimal.Decimal(end) / unit).ln() for end in (bits + 1, bits))
                least, most = math.floor(low - error), math.floor(high + error)
                if least == most:
                    return least


def _accepted_exactly(scale: float, magnitude: int, bits: int, draw: Draw) -> bool:
    """The same with as many further bits of U as it takes."""
    exact = Fraction(scale)
    exponent = (magnitude - exact * exact / _width(scale)) ** 2 / (2 * exact * exact)
    known = 53
    while True:
        bits, known = bits << 64 | int.from_bytes(draw(_WORD), "little"), known + 64
        with decimal.localcontext(_precise(known)):
            chance = (-decimal.Decimal(exponent.numerator) / decimal.Decimal(exponent.denominator)).exp()
            scaled = chance * decimal.Decimal(1 << known)
            error = decimal.Decimal(2) ** -32  # of one unit in U's last known place
            if bits + 1 <= scaled - error:
                return True
            if bits >= scaled + error:
                return False


def _precise(known: int) -> decimal.Context:
    """Digits for `known` bits and 40 more: for the size of an exponent, and what each step is wrong by."""
    return decimal.Context(prec=known // 3 + 40, Emin=-decimal.MAX_EMAX, Emax=decimal.MAX_EMAX)
