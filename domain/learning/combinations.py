"""What of a request cannot be had together: strategy, privacy method, trainer; asked before anything runs."""

from collections.abc import Mapping

from domain.learning.commands import RunCycle
from domain.learning.policy import PrivacySpec
from domain.learning.strategy import ClientKind, Strategy
from domain.learning.tensors import Tensors
from domain.learning.trainer import Ability, LocalPlan, Trainer
from domain.refusal import Refusal

_NEEDS: Mapping[ClientKind, tuple[Ability, str]] = {
    "gradient": ("gradient", "send one full gradient"),
    "proximal": ("proximal", "train with a proximal term"),
    "control": ("control", "train with control variates"),
}
_NOISED = ("differential_privacy", "hybrid")


def check_combination(request: RunCycle, strategy: Strategy, trainer: Trainer, *, individual: bool) -> None:
    """Refuse what cannot be, by name; `individual`: whether the privacy method lets each update be seen.

    Raises:
        Refusal: the field, and the way out.
    """
    strategy.check(settings_of(request, strategy), request.cohort.minimum)
    _check_trainer(request, strategy, trainer)
    check_privacy(request.privacy)
    method = request.privacy.method
    if strategy.individual and not individual:
        raise Refusal(
            "strategy.name",
            f"{strategy.name} looks at each update, which {method} hides: choose one that needs their mean "
            "only, such as fedavg, or a privacy method that shows updates",
        )
    if not individual and method != "differential_privacy" and request.cohort.minimum < 2:  # noqa: PLR2004 # one update's sum is that update
        raise Refusal(
            "cohort.minimum", f"with {method} it must be at least 2: the sum of one update is that update"
        )


def check_privacy(spec: PrivacySpec) -> None:
    """Refuse settings that the method would not look at, and noise that nothing determines."""
    if spec.method not in _NOISED:
        for name in ("epsilon", "noise_multiplier"):
            if getattr(spec, name) is not None:
                raise Refusal(
                    f"privacy.{name}",
                    f"{spec.method} adds no noise; leave it out, or take {' or '.join(_NOISED)}",
                )
    elif spec.epsilon is None and spec.noise_multiplier is None:
        raise Refusal("privacy.epsilon", f"{spec.method} needs it, or noise_multiplier")
    if spec.key_holder is not None and spec.method != "homomorphic_encryption":
        raise Refusal("privacy.key_holder", f"{spec.method} has no such key; leave it out")


def settings_of(request: RunCycle, strategy: Strategy) -> dict[str, float]:
    """The strategy's settings: its defaults, and over them what the request says."""
    return {**strategy.defaults, **request.strategy.settings}


def plan_of(request: RunCycle, strategy: Strategy, seed: int, control: Tensors | None = None) -> LocalPlan:
    """How a client trains in a round, for that strategy."""
    local = request.local
    if strategy.client == "gradient":
        return LocalPlan(epochs=1, batch=0, learning_rate=local.learning_rate, seed=seed)
    return LocalPlan(
        epochs=local.epochs,
        batch=local.batch,
        learning_rate=local.learning_rate,
        seed=seed,
        proximal=settings_of(request, strategy)["mu"] if strategy.client == "proximal" else 0.0,
        control=control,
    )


def _check_trainer(request: RunCycle, strategy: Strategy, trainer: Trainer) -> None:
    if strategy.client in _NEEDS:
        ability, words = _NEEDS[strategy.client]
        if ability not in trainer.abilities:
            raise Refusal(
                "trainer.name",
                f"{trainer.name} cannot {words}, as {strategy.name} needs; choose another of the two",
            )
    if request.local.partial and "partial" not in trainer.abilities:
        raise Refusal("local.partial", f"{trainer.name} cannot be stopped between two steps; set it to false")
