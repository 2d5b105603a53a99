"""What may be believed of a report: numbers that can be added up, and no more privacy than was asked for."""

import math
import re
from collections.abc import Iterator

from domain.learning.events import Report
from domain.learning.policy import PrivacySpec
from domain.learning.privacy_level import LEVELS, PrivacyLevel

MAX_ROWS = 10**12
MAX_BYTES = 2**40
"""Of an update, or of the rows behind it: eight million of them add up to no more than a row holds."""
MAX_GROUPS = 100
_DIGEST = re.compile(r"[0-9a-f]{64}")
_PROMISED: dict[str, PrivacyLevel] = {
    "none": "none",
    "secure_mpc": "secure_sum",
    "homomorphic_encryption": "encrypted_sum",
    "hybrid": "secure_sum_with_dp",
}


def promised(privacy: PrivacySpec) -> PrivacyLevel:
    """The level that the method gives an update."""
    if privacy.method == "differential_privacy":
        return "central_dp" if privacy.place == "central" else "local_dp"
    return _PROMISED[privacy.method]


def implausible(report: Report, privacy: PrivacySpec) -> str | None:
    """Why a host cannot have meant it: the fields that are impossible; None where there is none."""
    return ", ".join(_impossible(report, privacy)) or None


def _impossible(report: Report, privacy: PrivacySpec) -> Iterator[str]:
    if not _DIGEST.fullmatch(report.sha256):
        yield "sha256"
    for name, value, least, most in (
        ("bytes", report.bytes, 1, MAX_BYTES),
        ("samples", report.samples, 1, MAX_ROWS),
        ("planned", report.planned, 0, MAX_ROWS),
        ("steps", report.steps, 0, report.planned),
        ("raw_bytes", report.raw_bytes, 0, MAX_BYTES),
        ("group", report.group, 0, MAX_GROUPS - 1),
    ):
        if not least <= value <= most:
            yield name
    if report.loss is not None and not math.isfinite(report.loss):
        yield "loss"
    if LEVELS.index(report.level) > LEVELS.index(promised(privacy)):
        yield "level"
