"""What the read model says of voters, as weights for a panel."""

from dataclasses import dataclass

from temporalio import activity

from activities.ports import Reputations
from domain.consensus.reputation import mean


@dataclass(frozen=True, slots=True)
class StandingsWanted:
    """Voters on one topic; `at` in seconds since the epoch."""

    topic: str
    voters: tuple[str, ...]
    at: float


class Reputation:
    """Reads standings through the injected port."""

    def __init__(self, reputations: Reputations) -> None:
        self._reputations = reputations

    @activity.defn(name="mean_standings")
    async def mean_standings(self, wanted: StandingsWanted) -> dict[str, float]:
        """The mean alpha / (alpha + beta) of each voter that has a standing, in (0, 1)."""
        found = await self._reputations.standings(wanted.topic, wanted.voters, wanted.at)
        return {voter: mean(standing.alpha, standing.beta) for voter, standing in sorted(found.items())}
