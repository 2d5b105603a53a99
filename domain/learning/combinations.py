"""What of a request cannot be had together: strategy, privacy method, trainer; asked before anything runs."""

from dataclasses import replace

from domain.learning.commands import RunCycle
from domain.learning.policy import PrivacySpec
from domain.learning.strategies import registry
from domain.learning.strategy import Strategy
from domain.learning.trainer import Trainer
from domain.refusal import Refusal

NOISED = ("differential_privacy", "hybrid")
_FEWEST = 3
"""Clients in a hidden sum: of the sum of two, each knows the other's update."""


def check_combination(request: RunCycle, trainer: Trainer) -> None:
    """Refuse what cannot be, by name.

    Raises:
        Refusal: the field, and the way out.
    """
    privacy, minimum = request.privacy, request.cohort.minimum
    strategy = registry.named(request.strategy.name)
    spec = replace(request.strategy, settings=settings_of(request, strategy))
    registry.check(spec, minimum, privacy)
    registry.check_trainer(spec, trainer.name, trainer.abilities)
    if privacy.method in registry.SUMS_ONLY:
        if spec.settings.get("groups"):
            raise Refusal(
                "strategy.groups", f"sums of groups are not made under {privacy.method} here; take 0"
            )
        if minimum < _FEWEST:
            raise Refusal(
                "cohort.minimum",
                f"with {privacy.method} it must be at least {_FEWEST}: of the sum of two updates each "
                "client knows the other",
            )
    if request.local.partial and "partial" not in trainer.abilities:
        raise Refusal("local.partial", f"{trainer.name} cannot be stopped between two steps; set it to false")
    _check_privacy(privacy)


def settings_of(request: RunCycle, strategy: Strategy) -> dict[str, float]:
    """The strategy's settings: its defaults, and over them what the request says.

    A strategy that must know the clients' learning rate is told it.
    """
    told = {"learning_rate": request.local.learning_rate} if "learning_rate" in strategy.defaults else {}
    return {**strategy.defaults, **told, **request.strategy.settings}


def _check_privacy(spec: PrivacySpec) -> None:
    """Refuse settings that the method would not look at, and noise that nothing determines."""
    if spec.method not in NOISED:
        for name in ("epsilon", "noise_multiplier"):
            if getattr(spec, name) is not None:
                raise Refusal(
                    f"privacy.{name}",
                    f"{spec.method} adds no noise; leave it out, or take {' or '.join(NOISED)}",
                )
    elif spec.epsilon is None and spec.noise_multiplier is None:
        raise Refusal("privacy.epsilon", f"{spec.method} needs it, or noise_multiplier")
    if spec.key_holder is not None and spec.method != "homomorphic_encryption":
        raise Refusal("privacy.key_holder", f"{spec.method} has no such key; leave it out")
    if spec.key_holder is None and spec.method == "homomorphic_encryption":
        raise Refusal("privacy.key_holder", "is missing: name the client that makes and keeps the key")
    if spec.method == "hybrid":
        _check_hybrid(spec)


def _check_hybrid(spec: PrivacySpec) -> None:
    """Refuse settings of noise that a masked sum cannot have."""
    for name, taken, why in (
        ("place", "central", "every client adds a share of one sum's noise"),
        ("sampling", "public", "the members of a masked sum know each other"),
    ):
        if getattr(spec, name) != taken:
            raise Refusal(f"privacy.{name}", f"with hybrid it is {taken}: {why}; leave it out")
    if spec.clipping == "adaptive":
        raise Refusal(
            "privacy.clipping",
            "adaptive needs each client's norm, which hybrid hides; take flat",
        )
