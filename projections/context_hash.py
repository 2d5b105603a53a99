"""What a region has of the shared context as one SHA-256, by which regions are compared."""

import hashlib
from dataclasses import dataclass
from typing import Any

from domain.context.replica import canonical_bytes
from domain.context.residency import Residency
from projections.context_entry import CONTEXT_ENTRY, from_row
from projections.fence import Connection
from projections.tables import STAMPS

_PAGE = 2_000
_COLUMNS = ", ".join(column.name for column in CONTEXT_ENTRY.columns)
# The stream names the region, so the order that regions share is that of layer and key.
_ENTRIES = f"""
SELECT {_COLUMNS} FROM context_entry WHERE region = $1 ORDER BY layer COLLATE "C", key COLLATE "C"
"""  # noqa: S608 # our own table's columns
_REGIONS = """
SELECT region FROM context_entry
UNION SELECT substring(topic FROM 9) FROM projection_offset WHERE topic LIKE 'context.%'
ORDER BY 1
"""


@dataclass(frozen=True, slots=True)
class RegionHash:
    """Over how many keys, of how many writes; `pinned` keys are left out, which not every region may have."""

    region: str
    digest: str
    keys: int
    writes: int
    pinned: int


async def regions(connection: Connection) -> list[str]:
    """Those that are projected, also where nothing has arrived yet."""
    return [row["region"] for row in await connection.fetch(_REGIONS)]


async def region_hash(
    connection: Connection, region: str, compared: list[str], residency: Residency
) -> RegionHash:
    """Over all that `region` has and every one of the `compared` may have; inside a transaction.

    Each key adds eight bytes of length and its canonical text, in the order of layers and keys by code point.
    Regions that received the same writes have the same hash; memory does not grow with the keys.
    """
    digest, keys, writes, pinned = hashlib.sha256(), 0, 0, 0
    async for row in connection.cursor(_ENTRIES, region, prefetch=_PAGE):
        values: list[Any] = list(row)
        held = from_row(values[STAMPS:])
        allowed = residency.regions(held.entry.layer, held.entry.key)
        if allowed is not None and not allowed.issuperset(compared):
            pinned += 1
            continue
        text = canonical_bytes(held.entry)
        digest.update(len(text).to_bytes(8, "big") + text)
        keys, writes = keys + 1, writes + row["version"]
    return RegionHash(region, digest.hexdigest(), keys, writes, pinned)
