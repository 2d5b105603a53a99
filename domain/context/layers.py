"""The four layers of shared context: how fast each spreads, how long it lives, which rule settles it."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from domain.context.rules.registry import strategy
from domain.refusal import Refusal
from domain.strict_json import printable

MAX_SYNC_SECONDS = 604_800.0
LEAST_TTL_SECONDS = 0.001
MAX_TTL_SECONDS = 315_360_000.0
MAX_REGIONS = 100
_MINUTE, _HOUR, _DAY = 60.0, 3_600.0, 86_400.0


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer's settings.

    `sync_seconds`: how often it is passed on to other regions, 0 at once; `batched`: all that waits in one
    go. `rule`: the strategy that settles its conflicts. `ttl_seconds`: how long a write stands unless it says
    otherwise, null for ever. `precedence`: the regions that `regional_preference` prefers, the first most.
    """

    sync_seconds: float
    rule: str
    ttl_seconds: float | None
    batched: bool = False
    precedence: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.sync_seconds <= MAX_SYNC_SECONDS:
            raise Refusal("sync_seconds", f"{self.sync_seconds} is outside 0 to {MAX_SYNC_SECONDS}")
        if self.ttl_seconds is not None and not LEAST_TTL_SECONDS <= self.ttl_seconds <= MAX_TTL_SECONDS:
            raise Refusal(
                "ttl_seconds", f"{self.ttl_seconds} is outside {LEAST_TTL_SECONDS} to {MAX_TTL_SECONDS}"
            )
        strategy(self.rule)
        if len(set(self.precedence)) < len(self.precedence):
            raise Refusal("precedence", "names a region twice")
        if len(self.precedence) > MAX_REGIONS:
            raise Refusal("precedence", f"names {len(self.precedence)} regions, at most {MAX_REGIONS}")
        if "" in self.precedence:
            raise Refusal("precedence", "names a region without a name")

    @property
    def ttl_ms(self) -> int | None:
        return None if self.ttl_seconds is None else round(self.ttl_seconds * 1000)


IMMEDIATE = Layer(0.0, "last_writer_wins", 5 * _MINUTE)
SITUATIONAL = Layer(30.0, "semantic_merge", _HOUR)
CULTURAL = Layer(5 * _MINUTE, "regional_preference", 24 * _HOUR)
HISTORICAL = Layer(_HOUR, "temporal_merge", 30 * _DAY, batched=True)


@dataclass(frozen=True, slots=True)
class Layers:
    """The policy of all four."""

    immediate: Layer = IMMEDIATE
    situational: Layer = SITUATIONAL
    cultural: Layer = CULTURAL
    historical: Layer = HISTORICAL

    def named(self, name: str) -> Layer:
        """The layer of this name.

        Raises:
            Refusal: there is none.
        """
        if name not in NAMES:
            raise Refusal("layer", f"'{printable(name, 40)}' is none of {', '.join(NAMES)}")
        layer: Layer = getattr(self, name)
        return layer


NAMES = tuple(field.name for field in fields(Layers))
_TYPES: dict[str, tuple[tuple[type, ...], str]] = {
    "sync_seconds": ((int, float), "a number of seconds"),
    "rule": ((str,), "the name of a strategy"),
    "ttl_seconds": ((int, float, type(None)), "a number of seconds, or null for ever"),
    "batched": ((bool,), "true or false"),
    "precedence": ((list, tuple), "a list of regions"),
}


def layers_from(settings: Mapping[str, Any]) -> Layers:
    """The policy that a settings file states, over the defaults: `{"cultural": {"precedence": ["eu"]}}`.

    Raises:
        Refusal: an unknown layer or setting, or a value that makes no sense; named as `cultural.rule`.
    """
    policy = Layers()
    for name, stated in settings.items():
        layer = policy.named(name)
        if not isinstance(stated, Mapping):
            raise Refusal(name, f"is no table of settings, which are {', '.join(_TYPES)}")
        policy = replace(policy, **{name: _changed(name, layer, stated)})
    return policy


def _changed(name: str, layer: Layer, stated: Mapping[str, Any]) -> Layer:
    for field, value in stated.items():
        _check_type(f"{name}.{printable(field, 40)}", field, value)
    changes: dict[str, Any] = {**stated}
    if "precedence" in changes:
        changes["precedence"] = tuple(changes["precedence"])
    try:
        return replace(layer, **changes)
    except Refusal as refusal:
        raise Refusal(f"{name}.{refusal.field or 'rule'}", refusal.problem) from None


def _check_type(path: str, field: str, value: Any) -> None:
    if field not in _TYPES:
        raise Refusal(path, f"is no setting of a layer, which has {', '.join(_TYPES)}")
    types, meaning = _TYPES[field]
    members: Any = value if field == "precedence" and isinstance(value, list | tuple) else ()
    if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
        raise Refusal(path, f"is not {meaning}")
    if not all(isinstance(region, str) for region in members):
        raise Refusal(path, f"is not {meaning}")
