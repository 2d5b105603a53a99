"""Which partition holds a stream: Kafka's own default, so that any client finds it."""

from collections.abc import Collection, Sequence
from functools import lru_cache

_MASK = 0xFFFFFFFF
_M = 0x5BD1E995
_SEED = 0x9747B28C
LONGEST_KEY = 256
"""Bytes: a longer key names no stream that anybody takes."""
WORTH_ARRAYS = 24
"""Keys: fewer are hashed faster one by one."""


def murmur2(data: bytes) -> int:
    """MurmurHash2 of 32 bits as Kafka's Java clients compute it (org.apache.kafka.common.utils.Utils)."""
    length = len(data)
    whole = length & ~3
    h = _SEED ^ length
    for start in range(0, whole, 4):
        k = int.from_bytes(data[start : start + 4], "little") * _M & _MASK
        h = h * _M & _MASK ^ (k ^ k >> 24) * _M & _MASK
    if length > whole:
        h = (h ^ int.from_bytes(data[whole:], "little")) * _M & _MASK
    h = (h ^ h >> 13) * _M & _MASK
    return h ^ h >> 15


@lru_cache(maxsize=65_536)
def partition_of(key: bytes, partitions: int) -> int:
    """The partition, from 0, that holds a key (the stream's name in UTF-8) in a topic of `partitions`."""
    return (murmur2(key) & 0x7FFFFFFF) % partitions


def strays(keys: Collection[bytes | None], partition: int, partitions: int) -> frozenset[bytes]:
    """Those of `keys` that belong to another of a topic's `partitions` than this one.

    No client that looks for their streams finds records under them here: somebody put them here by hand. A
    record without a key belongs nowhere, and one under more than `LONGEST_KEY` bytes is nobody's.
    """
    if partitions == 1:
        return frozenset()
    found = [key for key in {*keys} if key is not None and len(key) <= LONGEST_KEY]
    if len(found) < WORTH_ARRAYS:
        return frozenset(key for key in found if partition_of(key, partitions) != partition)
    belong = partitions_of(found, partitions)
    return frozenset(key for key, there in zip(found, belong, strict=True) if there != partition)


def stray(key: bytes, partition: int, partitions: int) -> str:
    """What is said of a record under a key that is among the `strays`."""
    belongs = partition_of(key, partitions)
    return f"lies in partition {partition}, but its key belongs to partition {belongs} of {partitions}"


def partitions_of(keys: Sequence[bytes], partitions: int) -> list[int]:
    """`partition_of` each key, all at once: a twentieth of the time, for a few hundred keys or more."""
    import numpy as np  # here: most commands hash a key or two, and have no use for it

    lengths = np.fromiter(map(len, keys), np.uint32, len(keys))
    width = max(int(lengths.max()) // 4 + 1, 1)
    packed = b"".join([key.ljust(4 * width, b"\0") for key in keys])
    words = np.frombuffer(packed, "<u4").reshape(-1, width).T.astype(np.uint32)
    m, whole = np.uint32(_M), lengths // 4
    h = np.uint32(_SEED) ^ lengths
    for number, word in enumerate(words):
        k = word * m
        mixed = h * m ^ (k ^ k >> np.uint32(24)) * m
        rest = np.where((whole == number) & (lengths % 4 > 0), (h ^ word) * m, h)
        h = np.where(whole > number, mixed, rest)
    h = (h ^ h >> np.uint32(13)) * m
    h ^= h >> np.uint32(15)
    found: list[int] = ((h & np.uint32(0x7FFFFFFF)) % np.uint32(partitions)).tolist()
    return found
