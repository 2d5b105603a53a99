"""A stack of dense layers with a softmax at its end: logits, loss and slopes."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from domain.learning.tensors import Array, Tensors
from domain.learning.trainer import Evaluation, Rows

Activation = Literal["relu", "tanh"]
ACTIVATIONS: tuple[Activation, ...] = ("relu", "tanh")


@dataclass(frozen=True, slots=True)
class Layers:
    """Names of each layer's weight (inputs x outputs) and bias (outputs), first layer first.

    `l2`: half of this times the sum of squared weights is added to the loss that is descended, not to the one
    that is stated; biases are free.
    """

    names: tuple[tuple[str, str], ...]
    activation: Activation = "relu"
    l2: float = 0.0

    def gradient(self, model: Tensors, rows: Rows) -> tuple[float, dict[str, Array]]:
        """Mean cross-entropy plus the penalty, over `x` (rows x features) and `y` (rows), and its slopes."""
        x, y = rows["x"], rows["y"]
        inputs, logits = self._forward(model, x)
        logs = _log_softmax(logits)
        at = np.arange(len(y))
        loss = -float(np.mean(logs[at, y], dtype=np.float64))
        slope = np.exp(logs)
        slope[at, y] -= 1
        slope /= len(y)
        slopes: dict[str, Array] = {}
        for layer in reversed(range(len(self.names))):
            weight, bias = self.names[layer]
            slopes[weight] = inputs[layer].T @ slope
            slopes[bias] = slope.sum(axis=0)
            if self.l2:
                slopes[weight] += self.l2 * model[weight]
                loss += self.l2 / 2 * float(np.sum(np.square(model[weight]), dtype=np.float64))
            if layer:
                slope = slope @ model[weight].T
                slope *= self._bend(inputs[layer])
        return loss, slopes

    def evaluate(self, model: Tensors, rows: Rows) -> Evaluation:
        """Mean cross-entropy, and the share of rows whose largest logit is that of their class."""
        x, y = rows["x"], rows["y"]
        with np.errstate(over="ignore", invalid="ignore"):  # a diverged model's loss is NaN, which is told
            _, logits = self._forward(model, x)
            logs = _log_softmax(logits)
        loss = -float(np.mean(logs[np.arange(len(y)), y], dtype=np.float64))
        return Evaluation(loss, float(np.mean(logits.argmax(axis=1) == y)), len(y))

    def _forward(self, model: Tensors, x: Array) -> tuple[list[Array], Array]:
        """The input of each layer, and the logits."""
        inputs = [x]
        for weight, bias in self.names[:-1]:
            through = inputs[-1] @ model[weight]
            through += model[bias]
            inputs.append(
                np.maximum(through, 0, out=through)
                if self.activation == "relu"
                else np.tanh(through, out=through)
            )
        weight, bias = self.names[-1]
        return inputs, inputs[-1] @ model[weight] + model[bias]

    def _bend(self, output: Array) -> Array:
        """The activation's slope, told from its output."""
        return output > 0 if self.activation == "relu" else 1 - np.square(output)


def _log_softmax(logits: Array) -> Array:
    shifted: Array = logits - logits.max(axis=1, keepdims=True)
    shifted -= np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return shifted
