"""All strategies by name."""

from collections.abc import Mapping

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
from domain.learning.strategy import Strategy
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
