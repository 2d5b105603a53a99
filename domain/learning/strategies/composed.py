"""A strategy put together from two parts: a rule that combines changes, and the server's optimiser."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from domain.learning.strategies.blocks import Block, spans, weighted_sum
from domain.learning.strategies.optimisers import PLAIN, Optimiser
from domain.learning.strategies.settings import RATE, Bounds, Settings, settled
from domain.learning.strategy import Aggregated, ClientKind, Updates
from domain.learning.tensors import Array, Schema, Tensors, TensorSpec
from domain.refusal import Refusal


@dataclass(frozen=True, slots=True)
class Combined:
    """How a block of updates (clients x numbers) becomes one change; `excluded` clients have no part."""

    change: Callable[[Block], Block]
    excluded: tuple[str, ...] = ()


Rule = Callable[[Schema, Updates, Settings], Combined]
Fits = Callable[[Settings, int], None]
"""Refuses settings that so many updates do not allow."""
Change = Callable[[str, int, int], Block]
"""The combined change of numbers `start` up to `stop` of a tensor."""


def linear(weights: Sequence[float], over: float, excluded: tuple[str, ...] = ()) -> Combined:
    """The sum of weight * change, divided by `over`."""
    return Combined(lambda block: weighted_sum(block, weights) / over, excluded)


def mean(_schema: Schema, updates: Updates, _settings: Settings) -> Combined:
    """Weighted by samples.

    Raises:
        Refusal: nobody has any.
    """
    total = sum(updates.samples)
    if total <= 0:
        raise Refusal(
            "samples", f"{len(updates.clients)} clients have {total} rows in all: nothing to average"
        )
    return linear([float(samples) for samples in updates.samples], float(total))


def plain_mean(_schema: Schema, updates: Updates, _settings: Settings) -> Combined:
    """Each update counts alike."""
    return linear([1.0] * len(updates.clients), float(len(updates.clients)))


@dataclass(frozen=True, slots=True)
class Composed:
    """A `Strategy` of a rule and an optimiser.

    `bounds`: its settings. `fits`: what the theory asks of the number of updates.
    """

    name: str
    rule: Rule = mean
    optimiser: Optimiser = PLAIN
    client: ClientKind = "epochs"
    individual: bool = False
    bounds: Mapping[str, Bounds] = field(default_factory=lambda: {"rate": RATE})
    fits: Fits = lambda _settings, _clients: None

    @property
    def defaults(self) -> Mapping[str, float]:
        """The settings where none are given."""
        return {name: bound.default for name, bound in self.bounds.items()}

    def check(self, settings: Settings, clients: int) -> None:
        """Refuse settings that cannot be, also for that many clients.

        Raises:
            Refusal: the setting, and what would be right.
        """
        self.fits(settled(self.name, self.bounds, settings), clients)

    def aggregate(
        self, schema: Schema, model: Tensors, updates: Updates, state: Tensors, settings: Settings
    ) -> Aggregated:
        """The next model; at most one block of all clients is in memory beside the models.

        Raises:
            Refusal: too few updates for the settings, or the next model would not be finite.
        """
        full = settled(self.name, self.bounds, settings)
        if not updates.clients:
            raise Refusal("strategy", f"{self.name} has no update to aggregate")
        self.fits(full, len(updates.clients))
        combined = self.rule(schema, updates, full)

        def change(tensor: str, start: int, stop: int) -> Block:
            return combined.change(updates.block(tensor, start, stop))

        moved, kept = move(
            schema,
            model,
            change,
            state,
            optimiser=self.optimiser,
            settings=full,
            clients=len(updates.clients),
        )
        return Aggregated(moved, kept, combined.excluded)

    def step(
        self, schema: Schema, model: Tensors, mean: Tensors, state: Tensors, settings: Settings
    ) -> Aggregated:
        """The next model from the weighted mean change.

        Raises:
            Refusal: each update is needed, the mean is of another model, or the next one would not be finite.
        """
        full = settled(self.name, self.bounds, settings)
        if self.individual:
            raise Refusal("strategy", f"{self.name} needs each update, a mean of them does not do")
        for spec in schema:
            if spec.name not in mean or mean[spec.name].shape != spec.shape:
                raise Refusal("mean", f"has no tensor '{spec.name}' of shape {list(spec.shape)}")

        def change(tensor: str, start: int, stop: int) -> Block:
            return mean[tensor].reshape(-1)[start:stop].astype(np.float64)

        return Aggregated(
            *move(schema, model, change, state, optimiser=self.optimiser, settings=full, clients=1)
        )


def move(
    schema: Schema,
    model: Tensors,
    change: Change,
    state: Tensors,
    *,
    optimiser: Optimiser,
    settings: Settings,
    clients: int,
) -> tuple[dict[str, Array], dict[str, Array]]:
    """The next model and the optimiser's next state, number by number in float64, kept in the model's dtype.

    Raises:
        Refusal: a number of the next model is too large for its dtype.
    """
    moved = {spec.name: np.empty(spec.size, spec.dtype) for spec in schema}
    kept = {
        f"{part}.{spec.name}": np.empty(spec.size, spec.dtype) for spec in schema for part in optimiser.parts
    }
    for tensor, start, stop in spans(schema, clients):
        was = tuple(
            _part(state, f"{part}.{tensor}", first(settings), start, stop)
            for part, first in optimiser.parts.items()
        )
        with np.errstate(over="ignore", invalid="ignore"):  # what comes of it is refused below, by name
            delta, now = optimiser.step(change(tensor, start, stop), was, settings)
            moved[tensor][start:stop] = model[tensor].reshape(-1)[start:stop].astype(np.float64) + delta
            for part, numbers in zip(optimiser.parts, now, strict=True):
                kept[f"{part}.{tensor}"][start:stop] = numbers
    return _finite(schema, moved, ""), _finite(schema, kept, *(f"{part}." for part in optimiser.parts))


def _part(state: Tensors, name: str, first: float, start: int, stop: int) -> Block:
    found = state.get(name)
    if found is None:
        return np.full(stop - start, first)
    return found.reshape(-1)[start:stop].astype(np.float64)


def _finite(schema: Schema, arrays: dict[str, Array], *prefixes: str) -> dict[str, Array]:
    def shaped(name: str, spec: TensorSpec) -> Array:
        if not np.isfinite(arrays[name]).all():
            raise Refusal(
                "model", f"tensor '{name}' would hold NaN or pass what {spec.dtype} holds; lower the rates"
            )
        return arrays[name].reshape(spec.shape)

    return {prefix + spec.name: shaped(prefix + spec.name, spec) for spec in schema for prefix in prefixes}
