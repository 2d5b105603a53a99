"""Which regions a value may reach: pins of layers and keys, frozen into a policy."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce

from domain.refusal import Refusal
from domain.strict_json import printable


class PinnedElsewhere(Refusal):
    """The key may not be in this region."""


@dataclass(frozen=True, slots=True)
class Pin:
    """Values of `layer` (any, if null) under `key` (any, if null) stay in `regions`.

    A `key` that ends in `*` stands for every key that begins with what is before it.
    """

    regions: tuple[str, ...]
    layer: str | None = None
    key: str | None = None

    def __post_init__(self) -> None:
        if not self.regions:
            raise Refusal("regions", "names none; a pin names the regions that may hold the value")
        if self.layer is None and self.key is None:
            raise Refusal("key", "neither key nor layer is named, so nothing would be pinned")

    def holds(self, layer: str, key: str) -> bool:
        if self.layer not in (None, layer):
            return False
        if self.key is None or not self.key.endswith("*"):
            return self.key in (None, key)
        return key.startswith(self.key[:-1])


@dataclass(frozen=True, slots=True)
class Residency:
    """Pins that apply together: a value under several may only be where all of them allow it."""

    pins: tuple[Pin, ...] = ()

    def regions(self, layer: str, key: str) -> frozenset[str] | None:
        """Where the value may be; None where nothing pins it."""
        allowed = [frozenset(pin.regions) for pin in self.pins if pin.holds(layer, key)]
        return reduce(frozenset.__and__, allowed) if allowed else None

    def allows(self, layer: str, key: str, region: str) -> bool:
        """Whether the value may be written in, or sent to, `region`: asked before every send."""
        if not self.pins:
            return True
        regions = self.regions(layer, key)
        return regions is None or region in regions

    def check(self, layer: str, key: str, region: str) -> None:
        """Refuse a write where the value may not be.

        Raises:
            PinnedElsewhere: it names the regions that may hold it.
        """
        if not self.allows(layer, key, region):
            raise PinnedElsewhere(
                "region",
                f"{printable(region, 60)} may not hold '{printable(key, 60)}' of layer {printable(layer, 40)}"
                f", which is pinned to {_listed(self.regions(layer, key) or ())}",
            )


def _listed(regions: Iterable[str]) -> str:
    return ", ".join(printable(region, 60) for region in sorted(regions)) or "regions that exclude each other"
