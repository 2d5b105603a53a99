"""What running decisions ask of the read tables, as the ports of `activities` put it."""

from collections.abc import Sequence

from activities.ports import Standing, Standings
from domain.consensus.reputation import standing
from domain.learning.fleet import FleetEvent
from projections.fleet_queries import FleetQueries


class ReadModel(FleetQueries):
    """It connects when it is first asked: no decision waits for Postgres."""

    async def standings(self, topic: str, voters: Sequence[str], at: float) -> Standings:
        """See `activities.ports.Reputations`."""
        sums, offsets = await self.weights(topic, voters)
        known = {voter: Standing(*standing(right, wrong, at)) for voter, (right, wrong) in sums.items()}
        return Standings(known, offsets)

    async def newest(self, host: str) -> tuple[int, FleetEvent] | None:
        """See `activities.learning_ports.Hosts`."""
        found = await self.host(host)
        return found and (found.version, found.host.last)
