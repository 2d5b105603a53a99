"""A classifier of dense layers: what the two that are built in have in common, which is nearly everything."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from itertools import pairwise
from typing import ClassVar

import numpy as np
from numpy.random import PCG64, Generator  # noqa: TID251 # by the cycle's seed, which is on the record

from domain.learning.policy import Setting
from domain.learning.tensors import Array, Schema, Tensors, TensorSpec, check_tensors
from domain.learning.trainer import Ability, Evaluation, Fitted, LocalPlan, Rows, Tell
from domain.learning.trainers.labelled import labelled
from domain.learning.trainers.layers import Layers
from domain.learning.trainers.local_sgd import ABILITIES, descend
from domain.learning.trainers.settings import Settings, read


class Classifier(ABC):
    """Trains on `x` (rows x features) and `y` (whole numbers below `classes`)."""

    name: str
    settings: ClassVar[tuple[str, ...]]
    abilities: frozenset[Ability] = ABILITIES

    @abstractmethod
    def names(self, depth: int) -> tuple[tuple[str, str], ...]:
        """The tensors' names, weight and bias, of each of `depth` layers."""

    def schema(self, settings: Mapping[str, Setting]) -> Schema:
        """A weight (inputs x outputs) and a bias (outputs) for each layer.

        Raises:
            Refusal: a setting is missing, unknown or out of range.
        """
        return self._schema(read(settings, self.settings))

    def initial(self, settings: Mapping[str, Setting], seed: int) -> Tensors:
        """Weights uniform within the square root of 6 / (inputs + outputs), biases 0.

        X. Glorot and Y. Bengio, "Understanding the difficulty of training deep feedforward neural networks",
        AISTATS 2010.
        """
        told = read(settings, self.settings)
        draw = Generator(PCG64(seed))
        made: dict[str, Array] = {}
        for (weight, bias), (ins, outs) in self._shapes(told):
            bound = np.sqrt(6 / (ins + outs))
            made[weight] = ((2 * draw.random((ins, outs)) - 1) * bound).astype(told.dtype)
            made[bias] = np.zeros(outs, told.dtype)
        return made

    def fit(
        self, model: Tensors, rows: Rows, settings: Mapping[str, Setting], plan: LocalPlan, tell: Tell
    ) -> Fitted:
        """Descend from `model`; the loss is that of `model` on all rows, without the penalty.

        Raises:
            Refusal: the model, the rows or the plan are not of these settings.
        """
        told = read(settings, self.settings)
        check_tensors(self._schema(told), model)
        known, layers = labelled(rows, told), self._layers(told)
        before = layers.evaluate(model, known).loss
        reached = descend(layers.gradient, model, known, plan, tell)
        return Fitted(reached.model, len(known["y"]), reached.steps, reached.planned, before)

    def gradient(self, model: Tensors, rows: Rows, settings: Mapping[str, Setting]) -> Tensors:
        """The slope of the mean loss over all rows, the penalty's too, as FedSGD sends it.

        Raises:
            Refusal: the model or the rows are not of these settings.
        """
        told = read(settings, self.settings)
        check_tensors(self._schema(told), model)
        return self._layers(told).gradient(model, labelled(rows, told))[1]

    def evaluate(self, model: Tensors, rows: Rows, settings: Mapping[str, Setting]) -> Evaluation:
        """Mean cross-entropy (nats) and accuracy.

        Raises:
            Refusal: the model or the rows are not of these settings.
        """
        told = read(settings, self.settings)
        check_tensors(self._schema(told), model)
        return self._layers(told).evaluate(model, labelled(rows, told))

    def _layers(self, told: Settings) -> Layers:
        return Layers(self.names(len(told.hidden) + 1), told.activation, told.l2)

    def _shapes(self, told: Settings) -> list[tuple[tuple[str, str], tuple[int, int]]]:
        """The names of each layer beside its inputs and outputs."""
        return list(zip(self._layers(told).names, pairwise(told.widths), strict=True))

    def _schema(self, told: Settings) -> Schema:
        specs = []
        for (weight, bias), (ins, outs) in self._shapes(told):
            specs += [
                TensorSpec(bias, told.section, (outs,), told.dtype),
                TensorSpec(weight, told.section, (ins, outs), told.dtype),
            ]
        return tuple(sorted(specs, key=lambda spec: spec.name))
