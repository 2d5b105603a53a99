"""Which regions a value may reach: pins of layers and keys, frozen into a policy."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any

from domain.context.layers import NAMES
from domain.context.region import check_region
from domain.refusal import Refusal
from domain.strict_json import printable

_PARTS = ("regions", "layer", "key")


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


def residency_from(stated: Any) -> Residency:
    """The pins that a policy's file lists: `[{"key": "patient/*", "layer": "cultural", "regions": ["eu"]}]`.

    Raises:
        Refusal: what is no pin, named as `pins[0].regions`.
    """
    if not isinstance(stated, list):
        raise Refusal("pins", "is no list")
    return Residency(tuple(_pin(f"pins[{number}]", pin) for number, pin in enumerate(stated)))


def _pin(where: str, stated: Any) -> Pin:
    if not isinstance(stated, Mapping):
        raise Refusal(where, f"is no table of {', '.join(_PARTS)}")
    unknown = [name for name in stated if name not in _PARTS]
    if unknown:
        raise Refusal(f"{where}.{printable(unknown[0], 40)}", f"is no part of a pin: {', '.join(_PARTS)}")
    layer, key, regions = (stated.get(name) for name in ("layer", "key", "regions"))
    if layer is not None and layer not in NAMES:
        raise Refusal(f"{where}.layer", f"is none of {', '.join(NAMES)}")
    if key is not None and (not isinstance(key, str) or not key):
        raise Refusal(f"{where}.key", "is no key, nor the beginning of some with a * behind it")
    if not isinstance(regions, list) or not all(isinstance(region, str) for region in regions):
        raise Refusal(f"{where}.regions", "is no list of regions")
    try:
        for region in regions:
            check_region(region, "regions")
        return Pin(tuple(regions), layer, key)
    except Refusal as refusal:
        raise Refusal(f"{where}.{refusal.field}", refusal.problem) from None


def _listed(regions: Iterable[str]) -> str:
    return ", ".join(printable(region, 60) for region in sorted(regions)) or "regions that exclude each other"
