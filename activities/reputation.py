"""What the read model says of voters, as weights for a panel."""

from dataclasses import dataclass

from temporalio import activity

from activities.ports import Reputations
from domain.consensus.events import ReputationsRead
from domain.consensus.reputation import mean


@dataclass(frozen=True, slots=True)
class StandingsWanted:
    """Voters on one topic; `at` in seconds since the epoch."""

    topic: str
    voters: tuple[str, ...]
    at: float


@dataclass(frozen=True, slots=True)
class StandingsFound:
    """The mean alpha / (alpha + beta) of each voter that has one, in (0, 1), and what they come from."""

    means: dict[str, float]
    read: ReputationsRead


class Reputation:
    """Reads standings through the injected port."""

    def __init__(self, reputations: Reputations) -> None:
        self._reputations = reputations

    @activity.defn(name="mean_standings")
    async def mean_standings(self, wanted: StandingsWanted) -> StandingsFound:
        """What the read model says of the voters now."""
        found = await self._reputations.standings(wanted.topic, wanted.voters, wanted.at)
        means = {voter: mean(one.alpha, one.beta) for voter, one in sorted(found.voters.items())}
        return StandingsFound(means, ReputationsRead(wanted.at, found.offsets))
