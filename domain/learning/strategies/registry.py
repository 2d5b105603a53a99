"""All strategies by name, and what cannot be together."""

from collections.abc import Collection, Mapping

from domain.learning.policy import PrivacySpec, StrategySpec
from domain.learning.strategies.bulyan import BULYAN
from domain.learning.strategies.clustered import CLUSTERED
from domain.learning.strategies.fedadagrad import FEDADAGRAD
from domain.learning.strategies.fedadam import FEDADAM
from domain.learning.strategies.fedavg import FEDAVG
from domain.learning.strategies.fedavgm import FEDAVGM
from domain.learning.strategies.fedprox import FEDPROX
from domain.learning.strategies.fedsgd import FEDSGD
from domain.learning.strategies.fedyogi import FEDYOGI
from domain.learning.strategies.geometric_median import GEOMETRIC_MEDIAN
from domain.learning.strategies.krum import KRUM, MULTI_KRUM
from domain.learning.strategies.median import MEDIAN
from domain.learning.strategies.qfedavg import Q_FEDAVG
from domain.learning.strategies.scaffold import SCAFFOLD
from domain.learning.strategies.trimmed_mean import TRIMMED_MEAN
from domain.learning.strategy import ClientKind, Strategy
from domain.learning.trainer import Ability
from domain.refusal import Refusal
from domain.strict_json import printable

_ALL: tuple[Strategy, ...] = (
    FEDSGD,
    FEDAVG,
    FEDPROX,
    FEDAVGM,
    FEDADAM,
    FEDYOGI,
    FEDADAGRAD,
    Q_FEDAVG,
    SCAFFOLD,
    MEDIAN,
    TRIMMED_MEAN,
    KRUM,
    MULTI_KRUM,
    BULYAN,
    GEOMETRIC_MEDIAN,
    CLUSTERED,
)
STRATEGIES: Mapping[str, Strategy] = {strategy.name: strategy for strategy in _ALL}
NEEDS: Mapping[ClientKind, Ability | None] = {
    "epochs": None,
    "gradient": "gradient",
    "proximal": "proximal",
    "control": "control",
    "clustered": None,
}
"""Which ability a trainer needs for what clients do."""
SUMS_ONLY = frozenset({"secure_mpc", "homomorphic_encryption", "hybrid"})
"""Privacy methods under which the aggregator sees sums, and no update."""

UNNOISED: Mapping[str, str] = {
    "q_fedavg": "weighs clients by their loss, which stays on the nodes",
    "scaffold": "sends control variates, which clipping and noise make others than those that clients keep",
    "clustered": "tells each client's group, which its rows decide and no noise covers",
}
"""Why some go with no differential privacy, not even where each client adds its own noise."""


def named(name: str) -> Strategy:
    """The strategy of this name.

    Raises:
        Refusal: there is none; the line names all that exist.
    """
    found = STRATEGIES.get(name)
    if found is None:
        raise Refusal(
            "strategy", f"there is no '{printable(name, 40)}'; there are {', '.join(sorted(STRATEGIES))}"
        )
    return found


def grouped(strategy: Strategy) -> bool:
    """Whether sums of groups can stand for its updates."""
    return "groups" in strategy.defaults


def check(spec: StrategySpec, clients: int, privacy: PrivacySpec | None = None) -> None:
    """Refuse a strategy that cannot be: unknown, with wrong settings, for so few, or under that privacy.

    Args:
        spec: name and settings.
        clients: how many updates there will be at least.
        privacy: the method of the cycle; by default none.

    Raises:
        Refusal: strategy and method by name, and what could be instead.
    """
    strategy = named(spec.name)
    strategy.check(spec.settings, clients)
    if privacy is not None and strategy.individual:
        _check_privacy(strategy, spec.settings, privacy)
    elif spec.settings.get("groups"):
        _refuse_groups("none" if privacy is None else privacy.method)


def check_trainer(spec: StrategySpec, trainer: str, abilities: Collection[Ability]) -> None:
    """Refuse a trainer that cannot do what the strategy's clients do.

    Raises:
        Refusal: both by name, and the ability.
    """
    ability = NEEDS[named(spec.name).client]
    if ability is not None and ability not in abilities:
        raise Refusal(
            "strategy",
            f"{spec.name} needs a trainer with the ability '{ability}', "
            f"which {printable(trainer, 40)} has not",
        )


def _check_privacy(strategy: Strategy, settings: Mapping[str, float], privacy: PrivacySpec) -> None:
    method, groups = privacy.method, settings.get("groups", 0)
    if method in SUMS_ONLY:
        if not grouped(strategy):
            raise Refusal(
                "strategy",
                f"{strategy.name} needs each client's update, which {method} hides, and sums of groups "
                f"do not do; take {sum_rules()}, or another privacy method",
            )
        if not groups:
            raise Refusal(
                "strategy.groups",
                f"{strategy.name} needs each client's update, which {method} hides; "
                "say of how many groups the sums are to stand for updates",
            )
    elif groups:
        _refuse_groups(method)
    elif method == "differential_privacy":
        _check_noise(strategy, privacy)


def _check_noise(strategy: Strategy, privacy: PrivacySpec) -> None:
    if strategy.name in UNNOISED:
        raise Refusal(
            "strategy",
            f"{strategy.name} {UNNOISED[strategy.name]}: it does not go with differential_privacy; "
            f"take {sum_rules()}",
        )
    if privacy.place == "central":
        raise Refusal(
            "strategy",
            f"{strategy.name} needs each client's update, but central differential_privacy noises their "
            f"mean; take place = local, or {sum_rules()}",
        )


def _refuse_groups(method: str) -> None:
    raise Refusal(
        "strategy.groups",
        f"{method} lets the aggregator see each update, so sums of groups would only lose; leave it 0",
    )


def sum_rules() -> str:
    """Those that go with sums alone, for a refusal."""
    return ", ".join(strategy.name for strategy in _ALL if not strategy.individual)
