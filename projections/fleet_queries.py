"""What is asked of the read table of the fleet."""

from typing import Any, NamedTuple

from domain.learning.roster import Host
from domain.stream import fleet_stream
from projections.fleet import host_of
from projections.queries import Queries

_HOST = "SELECT version, host, announced_at, left_at, state FROM fleet_host WHERE stream = $1"
_HOSTS = "SELECT version, host, announced_at, left_at, state FROM fleet_host ORDER BY host"
# Who left trains nothing, and whose first announcement is not whole yet has said nothing.
_THERE = """
SELECT version, host, announced_at, left_at, state FROM fleet_host
WHERE left_at IS NULL AND announced_at IS NOT NULL
"""


class Known(NamedTuple):
    """A host, and how many events of its stream are folded into it."""

    version: int
    host: Host


class FleetQueries(Queries):
    """As `Queries`: it connects when it is first asked, and raises OSError when it cannot be asked now."""

    async def host(self, host: str) -> Known | None:
        """One node process, as far as the log is projected; None where it is not known."""
        found = await self._rows(_HOST, fleet_stream(host))
        return _known(found[0]) if found else None

    async def hosts(self) -> list[Known]:
        """Every node process that ever announced itself, by name."""
        return [_known(row) for row in await self._rows(_HOSTS)]

    async def there(self) -> list[Host]:
        """Those that have announced themselves and not left since."""
        return [_known(row).host for row in await self._rows(_THERE)]


def _known(row: Any) -> Known:
    version, *values = row
    return Known(version, host_of(*values))
