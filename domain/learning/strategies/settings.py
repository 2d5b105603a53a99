"""Settings of strategies: their defaults, what is out of range, what is unknown."""

from collections.abc import Mapping
from dataclasses import dataclass

from domain.learning.policy import within
from domain.refusal import Refusal
from domain.strict_json import printable

Settings = Mapping[str, float]
MAX_COUNT = 10_000


@dataclass(frozen=True, slots=True)
class Bounds:
    """A setting's default and range; `above`: `low` itself is too low, `below`: `high` too high."""

    default: float
    low: float
    high: float
    above: bool = False
    below: bool = False
    whole: bool = False

    def check(self, name: str, value: float) -> None:
        """Refuse a value outside."""
        within(name, value, self.low, self.high, above=self.above)
        if self.below and value == self.high:
            raise Refusal(name, f"{value:g} is too high, it must be below {self.high:g}")
        if self.whole and value != int(value):
            raise Refusal(name, f"{value:g} is not a whole number")


RATE = Bounds(1.0, 0, 1e6, above=True)
"""The server's learning rate."""
BYZANTINE = Bounds(1, 0, MAX_COUNT, whole=True)
"""How many updates may be of any content."""


def settled(strategy: str, bounds: Mapping[str, Bounds], settings: Settings) -> dict[str, float]:
    """The settings with defaults for those not given.

    Raises:
        Refusal: a setting is unknown or out of range.
    """
    unknown = sorted(settings.keys() - bounds.keys())
    if unknown:
        raise Refusal(
            f"strategy.{printable(unknown[0], 40)}",
            f"is not a setting of {strategy}; it has {', '.join(sorted(bounds)) or 'none'}",
        )
    full = {name: settings.get(name, bound.default) for name, bound in bounds.items()}
    for name, value in full.items():
        bounds[name].check(f"strategy.{name}", value)
    return full


def needs(strategy: str, clients: int, least: int, formula: str) -> None:
    """Refuse fewer than `least` clients.

    Raises:
        Refusal: in the words of the theory's condition.
    """
    if clients < least:
        raise Refusal(
            "strategy", f"{strategy} needs {formula}, at least {least} updates; {clients} are too few"
        )
