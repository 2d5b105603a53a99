"""Who could train, from Postgres."""

from collections.abc import Sequence

from domain.learning.fleet import Candidate
from domain.learning.roster import candidates
from projections.fleet_queries import FleetQueries


class PostgresRoster(FleetQueries):
    """See `activities.learning_ports.Roster`; an async context manager, which connects when first asked."""

    async def candidates(self) -> Sequence[Candidate]:
        return candidates(await self.there())
