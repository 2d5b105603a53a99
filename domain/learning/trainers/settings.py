"""What the classifiers that are built in are told, read strictly out of a cycle's `trainer.settings`."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import cast

from domain.learning.policy import Setting, within
from domain.learning.tensors import SECTIONS, Dtype, Section
from domain.learning.trainers.layers import ACTIVATIONS, Activation
from domain.refusal import Refusal
from domain.strict_json import printable

MAX_FEATURES = 1_000_000
MAX_CLASSES = 100_000
MAX_LAYERS = 16
MAX_WIDTH = 100_000
MAX_PARAMETERS = 100_000_000
"""Settings come from whoever starts a cycle: a model must fit into a node's memory a few times."""
COMMON = ("features", "classes", "l2", "dtype", "section")
DEEP = (*COMMON, "hidden", "activation")


@dataclass(frozen=True, slots=True)
class Settings:
    """What the built-in trainers are told.

    `features`: how many numbers a row has. `classes`: how many classes there are. `l2`: half of it times the
    sum of squared weights is added to the loss that is descended. `dtype`: the type of the model's numbers.
    `section`: the section of an update that carries their changes. `hidden`: the width of each hidden layer,
    `64` for one or `"64,32"` for two. `activation`: what follows each hidden layer.
    """

    features: int
    classes: int
    l2: float = 0.0
    dtype: Dtype = "float32"
    section: Section = "reasoning_improvements"
    hidden: tuple[int, ...] = ()
    activation: Activation = "relu"

    @property
    def widths(self) -> tuple[int, ...]:
        """Of the input, of every hidden layer, and of the output."""
        return (self.features, *self.hidden, self.classes)


def read(given: Mapping[str, Setting], known: tuple[str, ...]) -> Settings:
    """Settings of which all names are `known`; where `hidden` is among them, its default is one layer of 64.

    Raises:
        Refusal: one is missing, unknown, of another type or out of range; or the model has too many numbers.
    """
    for name in given:
        if name not in known:
            raise Refusal(
                "trainer.settings", f"has no '{printable(name, 40)}'; there are {', '.join(sorted(known))}"
            )
    found = Settings(
        features=_count(given, "features", MAX_FEATURES),
        classes=_count(given, "classes", MAX_CLASSES, least=2),
        l2=_share(given, "l2"),
        dtype=cast(Dtype, _one_of(given, "dtype", ("float32", "float64"))),
        section=cast(Section, _one_of(given, "section", SECTIONS, "reasoning_improvements")),
        hidden=_hidden(given.get("hidden", 64)) if "hidden" in known else (),
        activation=cast(Activation, _one_of(given, "activation", ACTIVATIONS)),
    )
    widths = found.widths
    numbers = sum(a * b + b for a, b in pairwise(widths))
    if numbers > MAX_PARAMETERS:
        raise Refusal("trainer.settings", f"make a model of {numbers} numbers, at most {MAX_PARAMETERS}")
    return found


def _count(given: Mapping[str, Setting], name: str, most: int, least: int = 1) -> int:
    if name not in given:
        raise Refusal(f"trainer.settings.{name}", "is missing; it has no default")
    value = given[name]
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value // 1:
        raise Refusal(f"trainer.settings.{name}", f"{_shown(value)} is no whole number")
    within(f"trainer.settings.{name}", value, least, most)
    return int(value)


def _share(given: Mapping[str, Setting], name: str) -> float:
    value = given.get(name, 0.0)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Refusal(f"trainer.settings.{name}", f"{_shown(value)} is no number")
    within(f"trainer.settings.{name}", value, 0, 1e6)
    return float(value)


def _one_of(
    given: Mapping[str, Setting], name: str, choices: tuple[str, ...], default: str | None = None
) -> str:
    value = given.get(name, default or choices[0])
    if value not in choices:
        raise Refusal(f"trainer.settings.{name}", f"{_shown(value)} is none of {', '.join(choices)}")
    return str(value)


def _hidden(value: Setting) -> tuple[int, ...]:
    """`64` is one hidden layer, `"64,32"` are two."""
    name = "trainer.settings.hidden"
    texts = value.split(",") if isinstance(value, str) else [str(value)]
    widths = [text.strip() for text in texts]
    if not all(text.isascii() and text.isdigit() for text in widths) or len(widths) > MAX_LAYERS:
        raise Refusal(name, f"{_shown(value)} is no list of 1 to {MAX_LAYERS} widths, such as 64 or '64,32'")
    for text in widths:
        within(name, int(text[:10]), 1, MAX_WIDTH)
    return tuple(map(int, widths))


def _shown(value: Setting) -> str:
    return f"'{printable(value, 40)}'" if isinstance(value, str) else str(value)
