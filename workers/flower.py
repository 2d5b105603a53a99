"""Runs a Flower `NumPyClient`, unchanged, as a trainer: its list of arrays as named tensors and back."""

import random
import sys
from collections.abc import Callable, Mapping
from threading import Lock
from typing import Any, ClassVar

import numpy as np

from domain.learning.policy import Setting
from domain.learning.tensors import Array, Dtype, Schema, Section, Tensors, TensorSpec, check_tensors
from domain.learning.trainer import Ability, Evaluation, Fitted, LocalPlan, Rows, Tell
from domain.refusal import Refusal


class FlowerTrainer:
    """A trainer around clients that `make` builds from the rows that may train.

    `make`: called with the rows of each training or evaluation; gives a `NumPyClient`, or what its
    `to_client` gives. A client that reads data of its own may ignore the rows, but then the time range that
    a cycle asks for means nothing. `initial`: from a seed, the arrays that a server would begin with; they
    become the tensors `p000`, `p001`, … in `section`. Arrays that are not float32 or float64 (the counters of
    a batch normalisation) travel as float64, and whole numbers are rounded for the client.
    `abilities`: `proximal` if its `fit` reads `proximal_mu`; a client that stops by itself does not exist.

    Flower's clients draw from global generators. These are seeded by the plan before each call, and one
    client of this process runs at a time, so a retry gives the same bits unless something else draws too.
    """

    _one: ClassVar[Lock] = Lock()

    def __init__(
        self,
        name: str,
        make: Callable[[Rows], Any],
        initial: Callable[[int], list[Array]],
        *,
        abilities: frozenset[Ability] = frozenset(),
        section: Section = "reasoning_improvements",
    ) -> None:
        self.name = name
        self.abilities = abilities
        self._make = make
        self._initial = initial
        self._section: Section = section
        self._dtypes: list[np.dtype[Any]] | None = None

    def schema(self, settings: Mapping[str, Setting]) -> Schema:  # noqa: ARG002 # the client's own arrays
        """A tensor for each array of `initial`, in its order.

        Raises:
            Refusal: there is no array, or one of something else than numbers.
        """
        return tuple(
            TensorSpec(name, self._section, array.shape, _carried(array))
            for name, array in self._tensors(self._begin(0)).items()
        )

    def initial(self, settings: Mapping[str, Setting], seed: int) -> Tensors:  # noqa: ARG002 # as above
        """What `initial` makes of the seed.

        Raises:
            Refusal: as `schema`.
        """
        return self._tensors(self._begin(seed))

    def fit(
        self, model: Tensors, rows: Rows, settings: Mapping[str, Setting], plan: LocalPlan, tell: Tell
    ) -> Fitted:
        """The client's `fit` as one step; the loss is what its `evaluate` says of `model` before.

        Its `config` holds the settings and, of the plan, `epochs`, `local_epochs`, `batch_size`, `lr`,
        `learning_rate`, `seed`, `proximal_mu`.

        Raises:
            Refusal: a setting bears one of these names, or the client gives what is no model.
        """
        count = len(next(iter(rows.values()), ()))
        config = _config(settings, plan, count)
        before = self._evaluate(model, rows, config, plan.seed)
        arrays = self._arrays(model)
        with self._one:
            _seed(plan.seed)
            made, samples, _ = self._client(rows).fit(arrays, config)
        tell(1, 1)
        if samples < 1:
            raise Refusal("trainer", f"the fit of {self.name} counts {samples} examples; it needs one")
        reached = self._tensors(list(made))
        check_tensors(self.schema(settings), reached, f"fit of {self.name}")
        return Fitted(reached, int(samples), 1, 1, before.loss)

    def evaluate(self, model: Tensors, rows: Rows, settings: Mapping[str, Setting]) -> Evaluation:
        """What the client's `evaluate` says; `accuracy` is its metric of that name, if there is one.

        Raises:
            Refusal: the client has no `evaluate` of its own, or its loss is no number.
        """
        return self._evaluate(model, rows, dict(settings), 0)

    def _evaluate(self, model: Tensors, rows: Rows, config: dict[str, Setting], seed: int) -> Evaluation:
        arrays = self._arrays(model)
        with self._one:
            _seed(seed)
            loss, samples, metrics = self._client(rows).evaluate(arrays, config)
        if samples < 1 or not np.isfinite(loss):
            raise Refusal(
                "trainer",
                f"the evaluate of {self.name} gives {loss} over {samples} examples, which is no loss",
            )
        accuracy = metrics.get("accuracy")
        return Evaluation(float(loss), None if accuracy is None else float(accuracy), int(samples))

    def _client(self, rows: Rows) -> Any:
        made = self._make(rows)
        return getattr(made, "numpy_client", made)  # as `to_client` wraps it

    def _begin(self, seed: int) -> list[Array]:
        with self._one:
            _seed(seed)
            arrays = [np.asarray(array) for array in self._initial(seed)]
        if not arrays or any(array.dtype.kind not in "biuf" for array in arrays):
            raise Refusal("trainer", f"{self.name} begins without arrays, or with some that are no numbers")
        self._dtypes = [array.dtype for array in arrays]
        return arrays

    def _tensors(self, arrays: list[Array]) -> Tensors:
        """Named by their place, so that the order of names is that of the list."""
        return {
            f"p{index:03}": np.asarray(array).astype(_carried(array), copy=False)
            for index, array in enumerate(arrays)
        }

    def _arrays(self, tensors: Tensors) -> list[Array]:
        """Copies, for a client may write into what it is given."""
        dtypes = self._dtypes or [array.dtype for array in self._begin(0)]
        return [
            np.array(np.rint(tensors[name]) if dtype.kind in "iu" else tensors[name], dtype)
            for name, dtype in zip(sorted(tensors), dtypes, strict=True)
        ]


def _carried(array: Array) -> Dtype:
    return "float32" if np.asarray(array).dtype == np.float32 else "float64"


def _config(settings: Mapping[str, Setting], plan: LocalPlan, rows: int) -> dict[str, Setting]:
    told: dict[str, Setting] = {
        "epochs": plan.epochs,
        "local_epochs": plan.epochs,
        "batch_size": plan.batch or rows,
        "lr": plan.learning_rate,
        "learning_rate": plan.learning_rate,
        "seed": plan.seed,
        "proximal_mu": plan.proximal,
    }
    for name in sorted(told.keys() & settings.keys()):
        raise Refusal(f"trainer.settings.{name}", "is told to the client by the cycle's `local`")
    return {**settings, **told}


def _seed(seed: int) -> None:
    random.seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002 # what clients draw from
    if (torch := sys.modules.get("torch")) is not None:
        torch.manual_seed(seed)
