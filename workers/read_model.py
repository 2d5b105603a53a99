"""What running decisions ask of the read tables, as the ports of `activities` put it."""

from collections.abc import Sequence

from activities.ports import Standing, Standings
from domain.consensus.reputation import standing
from projections.queries import Queries


class ReadModel(Queries):
    """It connects when it is first asked: no decision waits for Postgres."""

    async def standings(self, topic: str, voters: Sequence[str], at: float) -> Standings:
        """See `activities.ports.Reputations`."""
        sums, offsets = await self.weights(topic, voters)
        known = {voter: Standing(*standing(right, wrong, at)) for voter, (right, wrong) in sums.items()}
        return Standings(known, offsets)
