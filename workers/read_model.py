"""What running decisions ask of the read tables, as the ports of `activities` put it."""

from collections.abc import Mapping, Sequence

from activities.ports import Standing
from domain.consensus.reputation import standing
from projections.queries import Queries


class ReadModel(Queries):
    """It connects when it is first asked: no decision waits for Postgres."""

    async def standings(self, topic: str, voters: Sequence[str], at: float) -> Mapping[str, Standing]:
        """See `activities.ports.Reputations`."""
        sums = await self.weights(topic, voters)
        return {voter: Standing(*standing(right, wrong, at)) for voter, (right, wrong) in sums.items()}
