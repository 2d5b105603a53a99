"""Which privacy method to begin with, by three needs; a rule of thumb that gives its reasons."""

from dataclasses import dataclass
from typing import Literal

from domain.learning.policy import MethodName
from domain.learning.privacy_level import PrivacyLevel

Need = Literal["low", "medium", "high"]
NEEDS: tuple[Need, ...] = ("low", "medium", "high")


@dataclass(frozen=True, slots=True)
class Recommendation:
    """`why` in whole sentences; `gives_up` is what the method does not do; `instead` when to take another."""

    method: MethodName
    level: PrivacyLevel
    why: tuple[str, ...]
    gives_up: tuple[str, ...]
    instead: tuple[str, ...]


NOTHING = Recommendation(
    "none",
    "none",
    ("The data may be seen, and what you need most is lost by every other method: time, or accuracy.",),
    ("Whoever runs the aggregator sees each update, and the model may give rows away.",),
    ("differential_privacy, if the model is shown to people who must not learn about single clients",),
)
NOISE = Recommendation(
    "differential_privacy",
    "central_dp",
    (
        "The model is bounded in what it gives away of each client, by an epsilon that the ledger holds.",
        "Clipping and noise cost milliseconds a round for a small model, and not a byte more.",
    ),
    (
        "The aggregator sees each update, clipped (place local hides it, for much more noise).",
        "Accuracy falls with the noise; more clients in a round buy it back.",
    ),
    (
        "secure_mpc, if nobody but the client may see an update and no accuracy may be lost",
        "hybrid, if both the update and the model must be protected",
    ),
)
MASKS = Recommendation(
    "secure_mpc",
    "secure_sum",
    (
        "The aggregator learns the sum alone, and the sum is exact to the fixed-point grid.",
        "No single party holds a key to the updates.",
    ),
    (
        "The model itself is not noised: it may give rows away to whoever sees it.",
        "Krum, median and their like, which need each update, cannot be had, and clients exchange keys.",
    ),
    (
        "homomorphic_encryption, if clients can send one message only and one of them may hold the key",
        "hybrid, if the model is shown to people who must not learn about single clients",
    ),
)
BOTH = Recommendation(
    "hybrid",
    "secure_sum_with_dp",
    (
        "The aggregator learns a noised sum alone: neither it nor the model's readers see a single client.",
        "The noise is that of one sum, not of every client's own.",
    ),
    (
        "Accuracy falls with the noise, and clients exchange keys: the dearest of the methods in both.",
        "It takes a share of the cohort that does not collude.",
    ),
    ("differential_privacy with place local, if no other client is trusted either",),
)


def recommend(sensitivity: Need, performance: Need, accuracy: Need) -> Recommendation:
    """The method to begin with.

    Args:
        sensitivity: how much harm it does if somebody learns about a single client.
        performance: how much time and how many bytes matter.
        accuracy: how much it matters that the model is as good as without privacy.
    """
    if sensitivity == "high":
        # Exact sums hide updates from everybody but not the rows from the model: only where accuracy is all.
        return MASKS if accuracy == "high" else BOTH
    if sensitivity == "medium":
        return MASKS if accuracy == "high" else NOISE
    return NOTHING if "high" in (performance, accuracy) else NOISE
