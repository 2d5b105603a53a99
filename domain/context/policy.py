"""What a deployment states about its shared context: how layers spread, and what stays where."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from domain.context.canonical import canonical
from domain.context.layers import NAMES, Layers, layers_from
from domain.context.residency import Residency, residency_from
from domain.refusal import Refusal
from domain.strict_json import printable

_PARTS = ("layers", "pins", "texts")
TEXTS = ("pycrdt",)
_RULES = 1  # raise it with any change of what a rule makes of the same siblings


@dataclass(frozen=True, slots=True)
class ContextPolicy:
    """The settings of the four layers, and the pins.

    `texts` names the merge that edits of one text are given to; "" for none: they then wait for a decision.
    """

    layers: Layers = field(default_factory=Layers)
    residency: Residency = field(default_factory=Residency)
    texts: str = ""


def rules_digest(layers: Layers, merge_text: str = "") -> str:
    """What is made of siblings under these layers, as 16 hexadecimal digits: equal rules, equal digests.

    `merge_text` names the merge of texts, if there is one. How often a layer is passed on, and how long its
    writes live, is part of each write or of nothing, and settles no siblings.
    """
    by = [[name, layer.rule, *layer.precedence] for name in NAMES for layer in [layers.named(name)]]
    return hashlib.sha256(canonical([_RULES, by, merge_text]).encode()).hexdigest()[:16]


def policy_from(stated: Any) -> ContextPolicy:
    """The policy that a file states, `{"layers": {…}, "pins": [{"key": "patient/*", "regions": ["eu"]}]}`.

    Raises:
        Refusal: an unknown part, or a value that makes no sense; named as `layers.cultural.rule`.
    """
    if not isinstance(stated, Mapping):
        raise Refusal("", f"is no table of {', '.join(_PARTS)}")
    unknown = [name for name in stated if name not in _PARTS]
    if unknown:
        raise Refusal(printable(unknown[0], 40), f"is no part of the policy, which has {', '.join(_PARTS)}")
    layers = stated.get("layers", {})
    if not isinstance(layers, Mapping):
        raise Refusal("layers", "is no table of layers")
    try:
        found = layers_from(layers)
    except Refusal as refusal:
        raise Refusal(f"layers.{refusal.field}", refusal.problem) from None
    texts = stated.get("texts", "")
    if texts not in ("", *TEXTS):
        raise Refusal("texts", f"is none of {', '.join(TEXTS)}; leave it out for no merge of texts")
    return ContextPolicy(found, residency_from(stated.get("pins", [])), texts)
