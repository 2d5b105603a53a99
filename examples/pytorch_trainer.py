"""A PyTorch network, your own in `network`, as a trainer on the CPU; `pip install 'folkmoot[torch]'`."""

import numpy as np
import torch
from torch.func import functional_call
from torch.nn.functional import cross_entropy

from domain.learning.tensors import TensorSpec
from domain.learning.trainer import Evaluation, Fitted
from domain.learning.trainers.local_sgd import ABILITIES, descend


def network(settings):
    return torch.nn.Sequential(
        torch.nn.Linear(settings["features"], 64), torch.nn.ReLU(), torch.nn.Linear(64, settings["classes"])
    )


class TorchTrainer:
    """Settings `features` and `classes`; since it gives gradients, every strategy is served by `descend`."""

    name = "torch-mlp"
    abilities = ABILITIES

    def schema(self, settings):
        tensors = sorted(network(settings).state_dict().items())
        return tuple(TensorSpec(name, "reasoning_improvements", tuple(t.shape)) for name, t in tensors)

    def initial(self, settings, seed):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return {name: tensor.numpy() for name, tensor in network(settings).state_dict().items()}

    def fit(self, model, rows, settings, plan, tell):
        rows = {"x": rows["x"].astype(np.float32), "y": rows["y"].astype(np.int64)}
        net, before = network(settings), self.evaluate(model, rows, settings)

        def gradient(model, rows):
            at = {name: torch.tensor(array, requires_grad=True) for name, array in model.items()}
            loss = cross_entropy(functional_call(net, at, torch.tensor(rows["x"])), torch.tensor(rows["y"]))
            loss.backward()
            return loss.item(), {name: tensor.grad.numpy() for name, tensor in at.items()}

        reached = descend(gradient, model, rows, plan, tell)
        return Fitted(reached.model, before.samples, reached.steps, reached.planned, before.loss)

    @torch.no_grad()
    def evaluate(self, model, rows, settings):
        tensors = {name: torch.tensor(array) for name, array in model.items()}
        x, y = torch.tensor(rows["x"].astype(np.float32)), torch.tensor(rows["y"].astype(np.int64))
        logits = functional_call(network(settings), tensors, x)
        right = (logits.argmax(dim=1) == y).float().mean().item()
        return Evaluation(cross_entropy(logits, y).item(), right, len(y))
