"""What held for an update, in one word; a cycle's level is that of its least protected update."""

from collections.abc import Iterable
from typing import Literal

PrivacyLevel = Literal[
    "none",
    "central_dp",
    "encrypted_sum",
    "secure_sum",
    "local_dp",
    "secure_sum_with_dp",
]
LEVELS: tuple[PrivacyLevel, ...] = (
    "none",
    "central_dp",
    "encrypted_sum",
    "secure_sum",
    "local_dp",
    "secure_sum_with_dp",
)
"""Weakest first, by who must be trusted: with `central_dp` the aggregator sees each update and the model is
noised; `encrypted_sum` trusts the holder of one key; `secure_sum` a share of the cohort not to collude;
`local_dp` nobody, for the epsilon stated; `secure_sum_with_dp` hides each update and noises the model."""


def weakest(levels: Iterable[PrivacyLevel]) -> PrivacyLevel:
    """The weakest of `levels`; `none` where there are none, since nothing was promised."""
    return min(levels, key=LEVELS.index, default="none")
