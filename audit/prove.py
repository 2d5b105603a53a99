"""A proof of one event that needs no server to be checked."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from audit import merkle, tiles
from audit.locate import find_sealed, leaf_index
from audit.proof_file import Proof
from domain.refusal import Refusal
from eventlog.reader import LogReader
from eventlog.record import RawRecord
from projections import checkpoints
from projections import merkle as stored
from projections.checkpoints import CheckpointRow

_LOOK = 0.1  # seconds between two looks for a checkpoint


@dataclass(frozen=True, slots=True)
class Proved:
    """A proof, the record it is of, and the checkpoint it leads to."""

    proof: Proof
    record: RawRecord
    checkpoint: CheckpointRow


async def prove(
    pool: Any, reader: LogReader, event_id: str, *, within: float = 10.0, waiting: Callable[[], None]
) -> Proved:
    """Prove that an event is on the log, under the newest published checkpoint.

    `within` is how many seconds to wait for a checkpoint that covers it; `waiting` is called once if it comes
    to that. `pool` is asyncpg's.

    Raises:
        Refusal: there is no such event, no checkpoint covers it in time, or the log is not what was sealed.
    """
    record = await find_sealed(reader, event_id)
    until, said = time.monotonic() + within, False
    while (found := await _covered(pool, reader, record)) is None:
        if time.monotonic() > until:
            raise Refusal(
                "event",
                f"no checkpoint covers {event_id} after {within:g} s: the projector seals, see `moot status`",
            )
        if not said:
            waiting()
            said = True
        await asyncio.sleep(_LOOK)
    index, checkpoint = found
    proof = Proof(index, await _path(pool, index, checkpoint), checkpoint.note.encode())
    root = merkle.root_from_path(merkle.leaf_hash(record.value), index, checkpoint.size, proof.path)
    if root != checkpoint.root:
        raise Refusal(
            "event", f"{event_id} or what was stored of it was changed: `moot audit verify` names what"
        )
    return Proved(proof, record, checkpoint)


async def _covered(pool: Any, reader: LogReader, record: RawRecord) -> tuple[int, CheckpointRow] | None:
    async with pool.acquire() as connection:
        index = await leaf_index(connection, reader, record)
        newest = await checkpoints.newest(connection, record.topic, record.partition, published=True)
    return (index, newest) if index is not None and newest is not None and index < newest.size else None


async def _path(pool: Any, index: int, checkpoint: CheckpointRow) -> tuple[bytes, ...]:
    ranges = merkle.inclusion_ranges(index, checkpoint.size)
    async with pool.acquire() as connection:
        held = await stored.tiles(connection, checkpoint.topic, checkpoint.partition, tiles.tiles_for(ranges))
    return tuple(tiles.roots(held, ranges))
