"""What learning rests on beside its own streams; an audit is handed it by whoever can reach it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from audit.learning_artifacts import NOWHERE, Artifacts
from domain.learning.fleet import Candidate
from domain.learning.mechanism import Composition
from domain.refusal import Refusal

Epsilon = Callable[[Composition, float], float]
"""What a composition comes to at a delta."""


class Announced(Protocol):
    """What hosts said of their clients."""

    async def check(self, roster: Sequence[Candidate], at: datetime) -> None:
        """Hold a roster that was read before `at` against it.

        Raises:
            Refusal: it has a client as no host had announced it by then.
        """
        ...


class _Unheard:
    async def check(self, roster: Sequence[Candidate], at: datetime) -> None:  # noqa: ARG002 # the port's shape
        raise Refusal("roster", "no log was named to read the hosts' announcements from")


def unaccounted(composition: Composition, delta: float) -> float:  # noqa: ARG001 # the port's shape
    """No accountant.

    Raises:
        Refusal: always.
    """
    raise Refusal("epsilon", "no accountant was named to say what the releases cost")


UNHEARD: Announced = _Unheard()
"""Where no log is to be had."""


@dataclass(frozen=True, slots=True)
class Grounds:
    """The store of large values, the accountant, the hosts' announcements.

    By default none of them: what rests on one is then named, not passed over.
    """

    artifacts: Artifacts = NOWHERE
    epsilon: Epsilon = unaccounted
    announced: Announced = UNHEARD


NO_GROUNDS = Grounds()
