"""What a round says beside its model: the figures that follow from its reports and from the stored models."""

import math

from audit.learning_artifacts import Artifacts, tensors
from domain.learning.events import PrivacyMetadata, RoundAggregated
from domain.learning.figures import drift_distance, mean_loss
from domain.learning.policy import NOISED
from domain.learning.state import Cycle
from domain.refusal import Refusal


async def check_figures(artifacts: Artifacts, before: Cycle, data: RoundAggregated) -> None:
    """Compute them again; `before` is the cycle without that event.

    On a holdout, loss and accuracy need the trainer, which an audit does not run.

    Raises:
        Refusal: a figure does not follow, or a model is missing or was changed.
    """
    reports = before.reports
    _same("sent_bytes", data.sent_bytes, sum(report.bytes for report in reports))
    _same("raw_bytes", data.raw_bytes, sum(report.raw_bytes for report in reports))
    _check_privacy(before, data.privacy)
    if before.cycle.request.holdout is None:
        left_out = set(data.excluded)
        inside = [report for report in reports if report.client not in left_out]
        _same("loss", data.loss, mean_loss(inside))
        _same("accuracy", data.accuracy, None)
    was = await tensors(artifacts, before.model, "model of the round before")
    _same("drift", data.drift, drift_distance(was, await tensors(artifacts, data.model, "model")))


def _check_privacy(before: Cycle, said: PrivacyMetadata) -> None:
    asked = before.cycle.request.privacy
    _same("privacy", said.method, asked.method)
    if asked.method not in NOISED:
        _same("privacy", said, PrivacyMetadata(asked.method))


def _same(field: str, recorded: object, follows: object) -> None:
    if recorded != follows and not _near(recorded, follows):
        raise Refusal(field, f"recorded {recorded}, but {follows} follows from the reports and models")


def _near(recorded: object, follows: object) -> bool:
    """Sums of squares may end in another bit on another processor."""
    floats = isinstance(recorded, float) and isinstance(follows, float)
    return floats and math.isclose(recorded, follows, rel_tol=1e-9)  # type: ignore[arg-type]
