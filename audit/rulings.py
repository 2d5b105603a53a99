"""What rulings said of voters up to some moment, added up in memory in the order of their times."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from domain.consensus import reputation
from domain.consensus.events import Score
from domain.consensus.reputation import Evidence


@dataclass(frozen=True, slots=True)
class Ruling:
    """What a decision, or a case by its last word, said of voters, and when."""

    topic: str
    scores: tuple[Score, ...]
    at: datetime


class Learned:
    """Asked for weights at ever later moments, it counts the rulings that were known by then."""

    def __init__(self, rulings: Iterable[Ruling]) -> None:
        self._waiting = sorted(rulings, key=lambda one: one.at, reverse=True)
        self._sums: dict[tuple[str, str], Evidence] = {}

    def weights(self, topic: str, voters: Iterable[str], at: datetime) -> dict[str, float]:
        while self._waiting and self._waiting[-1].at <= at:
            self._learn(self._waiting.pop())
        found = {}
        for voter in voters:
            known = self._sums.get((topic, voter), Evidence())
            expected = reputation.mean(*reputation.standing(known.right, known.wrong, at))
            found[voter] = reputation.weight(expected)
        return found

    def _learn(self, ruling: Ruling) -> None:
        for score in ruling.scores:
            key = (ruling.topic, score.voter)
            self._sums[key] = self._sums.get(key, Evidence()) + reputation.evidence(score, ruling.at)
