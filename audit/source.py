"""Where an audit reads from: the running log with its database, or a copy of both in a folder."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Protocol

from audit.tiles import Coordinate
from eventlog.record import RawRecord
from projections.checkpoints import CheckpointRow
from projections.merkle import LeafTile
from projections.signing_keys import KeyRow


@dataclass(frozen=True, slots=True)
class SealedLog:
    """One partition that is sealed: its logical topic, and the origin that its checkpoints name."""

    topic: str
    partition: int
    origin: str

    @property
    def name(self) -> str:
        return f"{self.topic}/{self.partition}"


class Source(Protocol):
    """What `verify` needs. Nothing of it is trusted but what the public key signed."""

    complete: bool  # whether records beyond the last checkpoint may be there

    async def logs(self) -> Sequence[SealedLog]:
        """Every partition that is sealed."""
        ...

    async def length(self, topic: str, partition: int) -> int:
        """About how many records `records` will give, for the progress shown."""
        ...

    def records(self, topic: str, partition: int) -> AsyncGenerator[list[RawRecord], None]:
        """All records of a partition up to its end as it is now."""
        ...

    async def leaves(self, topic: str, partition: int) -> int | None:
        """How many leaf hashes were kept; None where none are kept at all."""
        ...

    async def leaf_hashes(self, topic: str, partition: int, first: int, count: int) -> list[bytes]:
        """The kept hashes of at most `count` leaves from number `first` on."""
        ...

    async def upper_tiles(self, topic: str, partition: int) -> tuple[dict[Coordinate, bytes], list[LeafTile]]:
        """The kept tiles above level 0, and what those of level 0 say of their records' offsets."""
        ...

    async def keys(self) -> list[KeyRow] | None:
        """The database's copies of the announced keys; None where there is no database."""
        ...

    async def kept(self, topic: str, partition: int) -> list[CheckpointRow] | None:
        """The database's copies of the checkpoints; None where there is no database."""
        ...
