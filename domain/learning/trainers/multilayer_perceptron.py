"""A multilayer perceptron: hidden layers of relu or tanh before the softmax."""

from domain.learning.trainers.classifier import Classifier
from domain.learning.trainers.settings import DEEP


class MultilayerPerceptron(Classifier):
    """Tensors `layer00.weight`, `layer00.bias`, ...; settings `hidden` and `activation` beside the common."""

    name = "mlp"
    settings = DEEP

    def names(self, depth: int) -> tuple[tuple[str, str], ...]:
        """Numbered with two digits, so that their order by name is that of the layers."""
        return tuple((f"layer{index:02}.weight", f"layer{index:02}.bias") for index in range(depth))
