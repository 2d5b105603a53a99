"""Which partition holds a stream: Kafka's own default, so that any client finds it."""

from functools import lru_cache

_MASK = 0xFFFFFFFF
_M = 0x5BD1E995


def murmur2(data: bytes) -> int:
    """MurmurHash2 of 32 bits as Kafka's Java clients compute it (org.apache.kafka.common.utils.Utils)."""
    length = len(data)
    whole = length & ~3
    h = 0x9747B28C ^ length
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
