"""What of a request cannot be had together: strategy, privacy method, trainer; asked before anything runs."""

from collections.abc import Mapping

from domain.learning.commands import RunCycle
from domain.learning.policy import HIDING, NOISED, PrivacySpec
from domain.learning.strategies import registry
from domain.learning.strategy import ClientKind, Strategy
from domain.learning.trainer import Ability, Trainer
from domain.refusal import Refusal
from domain.strict_json import printable

NEEDS: Mapping[ClientKind, Ability | None] = {
    "epochs": None,
    "gradient": "gradient",
    "proximal": "proximal",
    "control": "control",
    "clustered": None,
}
"""Which ability a trainer needs for what clients do."""
_UNNOISED: Mapping[str, str] = {
    "q_fedavg": "weighs clients by their loss, which stays on the nodes",
    "scaffold": "sends control variates, which clipping and noise make others than those that clients keep",
    "clustered": "tells each client's group, which its rows decide and no noise covers",
}
"""Why some go with no differential privacy, not even where each client adds its own noise."""
_FEWEST = 3
"""Clients in a hidden sum: of the sum of two, each knows the other's update."""


def check_combination(request: RunCycle, trainer: Trainer) -> None:
    """Refuse what cannot be, by name.

    Raises:
        Refusal: the field, and the way out.
    """
    privacy, minimum = request.privacy, request.cohort.minimum
    strategy = registry.named(request.strategy.name)
    strategy.check(settings_of(request, strategy), minimum)
    if strategy.individual:
        _check_each_is_seen(strategy, privacy)
    _check_trainer(strategy, trainer)
    if privacy.method in HIDING and minimum < _FEWEST:
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


def _check_each_is_seen(strategy: Strategy, privacy: PrivacySpec) -> None:
    """Refuse a privacy method under which a strategy that looks at each update could not."""
    sums = ", ".join(name for name, one in registry.STRATEGIES.items() if not one.individual)
    if privacy.method in HIDING:
        raise Refusal(
            "strategy",
            f"{strategy.name} needs each client's update, which {privacy.method} hides; take {sums}, or "
            "another privacy method",
        )
    if privacy.method != "differential_privacy":
        return
    if strategy.name in _UNNOISED:
        raise Refusal(
            "strategy",
            f"{strategy.name} {_UNNOISED[strategy.name]}: it does not go with differential_privacy; "
            f"take {sums}",
        )
    if privacy.place == "central":
        raise Refusal(
            "strategy",
            f"{strategy.name} needs each client's update, but central differential_privacy noises their "
            f"mean; take place = local, or {sums}",
        )


def _check_trainer(strategy: Strategy, trainer: Trainer) -> None:
    ability = NEEDS[strategy.client]
    if ability is not None and ability not in trainer.abilities:
        raise Refusal(
            "strategy",
            f"{strategy.name} needs a trainer with the ability '{ability}', "
            f"which {printable(trainer.name, 40)} has not",
        )


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
