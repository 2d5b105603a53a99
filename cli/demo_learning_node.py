"""A node that lies, for the demo of learning: what it sends is the opposite of what its training found.

It is put together from the parts of `moot worker node`; honest nodes of the demo run that command itself.
"""

import argparse
from collections.abc import Mapping
from typing import TYPE_CHECKING

from cli.worker_process import run_process

if TYPE_CHECKING:
    from activities.learning_ports import Trainers
    from domain.learning.policy import Setting
    from domain.learning.tensors import Schema, Tensors
    from domain.learning.trainer import Ability, Evaluation, Fitted, LocalPlan, Rows, Tell, Trainer

STRENGTH = 5.0
"""The change that is sent is that of training times minus this."""


class SignFlipping:
    """A trainer whose result lies on the other side of the model that it was given."""

    def __init__(self, honest: "Trainer") -> None:
        self._honest = honest
        self.name: str = honest.name
        self.abilities: frozenset[Ability] = honest.abilities

    def schema(self, settings: "Mapping[str, Setting]") -> "Schema":
        return self._honest.schema(settings)

    def initial(self, settings: "Mapping[str, Setting]", seed: int) -> "Tensors":
        return self._honest.initial(settings, seed)

    def fit(
        self,
        model: "Tensors",
        rows: "Rows",
        settings: "Mapping[str, Setting]",
        plan: "LocalPlan",
        tell: "Tell",
    ) -> "Fitted":
        """As the honest one, with the change turned round."""
        from dataclasses import replace

        fitted = self._honest.fit(model, rows, settings, plan, tell)
        turned = {
            name: (given - STRENGTH * (fitted.model[name] - given)).astype(given.dtype)
            for name, given in model.items()
        }
        return replace(fitted, model=turned)

    def evaluate(self, model: "Tensors", rows: "Rows", settings: "Mapping[str, Setting]") -> "Evaluation":
        return self._honest.evaluate(model, rows, settings)


class Lying:
    """Trainers under whose names, and the digests of whose source, another one trains."""

    def __init__(self, honest: "Trainers") -> None:
        self._honest = honest

    def names(self) -> tuple[str, ...]:
        return self._honest.names()

    def named(self, name: str) -> "Trainer":
        return SignFlipping(self._honest.named(name))

    def code(self, name: str) -> str:
        """Of the honest one: nobody can see on a digest that is sent what really ran."""
        return self._honest.code(name)


def main(arguments: list[str] | None = None) -> None:
    """Run until SIGTERM, as `moot worker node --id --region --data` does."""
    parser = argparse.ArgumentParser(description="A node of the demo that turns its updates round.")
    for option in ("--id", "--region", "--data"):
        parser.add_argument(option, required=True)
    told = parser.parse_args(arguments)

    from cli.worker_process import one_thread_for_sums

    one_thread_for_sums()
    from workers import node
    from workers.trainees import Training
    from workers.trainers import InstalledTrainers

    run_process(
        "node",
        lambda settings, ready: node.run(
            settings,
            told.id,
            ready,
            region=told.region,
            training=Training(told.data),
            trainers=Lying(InstalledTrainers()),
        ),
        ("temporal_address",),
    )


if __name__ == "__main__":
    main()
