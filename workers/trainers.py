"""The trainers that are installed: built in, of other packages by entry point, or named in a setting."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import get_args

from domain.learning.trainer import Ability, Trainer
from domain.refusal import Refusal
from domain.strict_json import printable
from workers.plugin_code import sources
from workers.plugin_loading import loaded, one_line

GROUP = "folkmoot.trainers"
VARIABLE = "FOLKMOOT_TRAINERS"
# Also in pyproject.toml, like any plugin; here for a checkout that was installed before they were.
BUILT_IN = {
    "logistic-regression": "domain.learning.trainers.logistic_regression:LogisticRegression",
    "mlp": "domain.learning.trainers.multilayer_perceptron:MultilayerPerceptron",
}
_METHODS = ("schema", "initial", "fit", "evaluate")


@dataclass(frozen=True, slots=True)
class _Made:
    trainer: Trainer
    code: str


class InstalledTrainers:
    """What `folkmoot.trainers` lists, imported when it is first asked for by name.

    `own`: `module:factory` of trainers of one's own, which are imported at once, for their names stand in
    them. All are imported code: install and name only what you trust. A trainer's name is never read as a
    module, for a cycle states it.

    Raises:
        Refusal: one of `own` cannot be imported or makes no trainer, or its name is taken.
    """

    def __init__(self, own: Iterable[str] = (), found: Iterable[EntryPoint] | None = None) -> None:
        listed = entry_points(group=GROUP) if found is None else found
        self._values: dict[str, set[str]] = {name: {value} for name, value in BUILT_IN.items()}
        for point in listed:
            self._values.setdefault(point.name, set()).add(point.value)
        self._made: dict[str, _Made] = {}
        for value in own:
            made = _make(value, VARIABLE)
            if made.trainer.name in self._values:
                raise Refusal(VARIABLE, f"{printable(value)}: there is a '{made.trainer.name}' already")
            self._values[made.trainer.name] = {value}
            self._made[made.trainer.name] = made

    def names(self) -> tuple[str, ...]:
        """Those that can be imported, sorted; the others are in `broken`."""
        return tuple(sorted(self._values.keys() - self.broken().keys()))

    def broken(self) -> Mapping[str, str]:
        """What cannot be used, by name, and why in one line."""
        found = {}
        for name in sorted(self._values):
            try:
                self._named(name)
            except Refusal as refusal:
                found[name] = refusal.problem
        return found

    def named(self, name: str) -> Trainer:
        """One of them.

        Raises:
            Refusal: there is none of that name, it cannot be imported, or it is no trainer.
        """
        return self._named(name).trainer

    def code(self, name: str) -> str:
        """SHA-256 (hex) of the source of the module that the trainer comes from, or of the package it is in.

        Raises:
            Refusal: as `named`.
        """
        return self._named(name).code

    def _named(self, name: str) -> _Made:
        if name not in self._values:
            installed = ", ".join(sorted(self._values))
            raise Refusal("trainer", f"'{printable(name, 40)}' is not installed; there are {installed}")
        if name not in self._made:
            values = sorted(self._values[name])
            if len(values) > 1:
                raise Refusal("trainer", f"'{name}' is claimed by {' and '.join(values)}; remove one")
            made = _make(values[0], "trainer")
            if made.trainer.name != name:
                raise Refusal(
                    "trainer", f"'{name}' ({values[0]}) calls itself '{printable(made.trainer.name, 40)}'"
                )
            self._made[name] = made
        return self._made[name]


def own_trainers(environ: Mapping[str, str]) -> tuple[str, ...]:
    """`module:factory` of each in the setting `FOLKMOOT_TRAINERS`, separated by commas."""
    return tuple(filter(None, (part.strip() for part in environ.get(VARIABLE, "").split(","))))


def _make(value: str, field: str) -> _Made:
    factory = loaded(value, field)
    try:
        trainer = factory() if callable(factory) else factory
    except Exception as error:  # noqa: BLE001 # a plugin may fail in any way, and is named for it
        raise Refusal(field, f"{printable(value)} makes no trainer: {one_line(error)}") from None
    name, abilities = getattr(trainer, "name", None), getattr(trainer, "abilities", None)
    lacks = [method for method in _METHODS if not callable(getattr(trainer, method, None))]
    if not isinstance(name, str) or lacks:
        raise Refusal(field, f"{printable(value)} makes something without {', '.join(lacks) or 'a name'}")
    if not isinstance(abilities, frozenset) or not abilities <= set(get_args(Ability)):
        raise Refusal(
            field,
            f"{printable(value)} has `abilities` that are no frozenset of {', '.join(get_args(Ability))}",
        )
    return _Made(trainer, hashlib.sha256(sources(value.partition(":")[0])).hexdigest())
