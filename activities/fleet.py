"""What an announcement asks of the world: what the host's stream has already."""

from temporalio import activity

from activities.learning_ports import Hosts
from domain.learning.fleet import Announcement
from domain.learning.roster import announce


class Announcing:
    """Looks into the injected read model."""

    def __init__(self, hosts: Hosts) -> None:
        self._hosts = hosts

    @activity.defn(name="look_up_host")
    async def look_up_host(self, asked: Announcement) -> bool:
        """Whether it is still to be written, as far as the read model knows.

        A database that is down is waited for: the roster is in it, so nobody could be asked meanwhile.

        Raises:
            Refusal: the stream has events that the host knows nothing of; nothing may be written.
            OSError, TimeoutError: the read model cannot be asked; Temporal retries.
        """
        return bool(announce(asked, await self._hosts.newest(asked.event.host)))
