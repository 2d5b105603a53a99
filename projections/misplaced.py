"""Records that lie where no client looks for their streams: somebody put them there by hand."""

from collections.abc import Mapping, Sequence

from eventlog.partitioning import stray, strays
from eventlog.topics import of_other_regions


def misplaced(
    keys: Sequence[bytes | None], topic: str, partition: int, partitions: int
) -> Mapping[bytes, str]:
    """Those of `keys` that belong to another partition or another region's topic, and what to say of it."""
    found = {key: stray(key, partition, partitions) for key in strays(keys, partition, partitions)}
    for key in of_other_regions(keys, topic):
        found[key] = f"lies on {topic}, but its key belongs to another region"
    return found
