"""Multinomial logistic regression: one layer, so convex, and its first model is all zeros."""

from collections.abc import Mapping

import numpy as np

from domain.learning.policy import Setting
from domain.learning.tensors import Tensors
from domain.learning.trainers.classifier import Classifier
from domain.learning.trainers.settings import COMMON


class LogisticRegression(Classifier):
    """Tensors `weight` (features x classes) and `bias` (classes); setting `l2` is the penalty."""

    name = "logistic-regression"
    settings = COMMON

    def names(self, depth: int) -> tuple[tuple[str, str], ...]:  # noqa: ARG002 # always 1
        """One layer, which needs no number."""
        return (("weight", "bias"),)

    def initial(self, settings: Mapping[str, Setting], seed: int) -> Tensors:  # noqa: ARG002 # nothing is drawn
        """All zeros: every class is as likely as the others."""
        return {spec.name: np.zeros(spec.shape, spec.dtype) for spec in self.schema(settings)}
