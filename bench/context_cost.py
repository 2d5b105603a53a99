"""What shared context costs a core, without a server: a merge, and a conflict that a rule settles."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from statistics import median

from domain.context.events import Written
from domain.context.layers import NAMES, Layers
from domain.context.recording import recorded
from domain.context.residency import Residency
from domain.context.rules.conflict import Conflict, between
from domain.context.rules.moment import stated
from domain.context.rules.registry import resolve
from eventlog.codec import decode, encode
from eventlog.record import RawRecord
from projections.batch import decoded
from projections.bulk import rows_of
from projections.folding import PartitionFold
from projections.projection import by_category
from projections.registry import PROJECTIONS
from projections.states import States

ROUNDS = 10
KEYS = 2_000
RUNS = 5
BEGAN = 1_795_255_200_000  # Unix milliseconds
VALUE = {"free": 8, "note": "two closed", "rooms": ["a", 2], "open": True}


class NoPast:
    """Nothing was read before."""

    async def applied_ids(self, *_: object) -> dict[str, str]:
        return {}


def wrote(layer: str, key: int, dot: tuple[str, int], value: object, seen: dict[str, int]) -> Written:
    node, counter = dot
    wall = BEGAN + 1000 * counter + key % 1000
    region = node.partition("-")[0]
    return Written(
        layer, f"ward-{key}/beds", value, "ann", region, node, counter, wall, seen=seen, ttl_ms=3_600_000
    )


def merges_per_second(layer: str) -> float:
    """Conflicts of two small edits of one value, settled by the layer's rule, in a second of one core's time.

    No two are alike, and each write was read from the log's bytes: nothing is known before, nothing shared.
    """
    conflicts = [_edited_twice(layer, key) for key in range(KEYS)]
    if any(resolve(conflict).resolution is None for conflict in conflicts):
        raise RuntimeError(f"nothing settles a conflict of layer {layer}")
    return median(_rate(conflicts) for _ in range(RUNS))


def _edited_twice(layer: str, key: int) -> Conflict:
    value = VALUE | {"free": key, "note": f"two of {key} closed"}
    one, other = value | {"free": key - 1}, value | {"note": f"three of {key} closed"}
    if layer == "historical":
        one, other = one | {"at": stated(key * 5_000_000)}, other | {"at": stated(key * 7_000_000 + 1)}
    seen = {"eu-1": 1}
    known, *sides = [
        _read(wrote(layer, key, ("eu-1", 1), value, {})),
        _read(wrote(layer, key, ("eu-1", 2), one, seen)),
        _read(wrote(layer, key, ("us-1", 1), other, seen)),
    ]
    return between(sides, rule=Layers().named(layer).rule, region="eu", known=[known])


def _read(write: Written) -> Written:
    read = decode(_record(0, write).value).data
    if read != write or not isinstance(read, Written):
        raise RuntimeError("a write was not read as it was written")
    return read


def _rate(conflicts: Sequence[Conflict]) -> float:
    began = time.process_time()
    for _ in range(ROUNDS):
        for conflict in conflicts:
            resolve(conflict)
    return ROUNDS * len(conflicts) / (time.process_time() - began)


def settled_of_plain(layer: str) -> float:
    """CPU of a write that makes a conflict which a rule settles, over that of one that replaces what it saw.

    Decoded, folded and made a row, as the projector does it; the way to Postgres is the same for both.
    """
    return median(_once(layer) for _ in range(RUNS))


def _once(layer: str) -> float:
    fold = PartitionFold(
        by_category(PROJECTIONS, "context.eu"), NoPast(), States(1 << 30), partition=0, partitions=1
    )
    seen = {"eu-1": 1}
    first = (wrote(layer, key, ("eu-1", 1), VALUE, {}) for key in range(KEYS))
    plain = (wrote(layer, key, ("eu-1", 2), VALUE | {"free": 7}, seen) for key in range(KEYS))
    beside = (wrote(layer, key, ("us-1", 1), VALUE | {"note": "three closed"}, seen) for key in range(KEYS))
    _, cost, conflict = [asyncio.run(_cpu(fold, writes)) for writes in (first, plain, beside)]
    return conflict / cost


async def _cpu(fold: PartitionFold, writes: Iterator[Written]) -> float:
    records = [_record(number, write) for number, write in enumerate(writes)]
    began = time.process_time()
    folded = await fold.fold(decoded(records))
    rows = rows_of(folded, 0)
    used = time.process_time() - began
    if folded.dead or not (rows.inserts or rows.updates):
        raise RuntimeError("a write was parked")
    return used


def _record(number: int, write: Written) -> RawRecord:
    event = recorded(write, "eu", Residency())
    return RawRecord("context.eu", 0, number, write.wall, event.stream.encode(), encode(event))


def layers() -> Sequence[str]:
    return NAMES
