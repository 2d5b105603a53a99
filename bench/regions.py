"""Three regions that were cut off from each other for an hour: how long, and by what, they become one again.

The hour is that of the nodes' clocks, which are stepped through it; nobody waits for it.
"""

import argparse
import asyncio
from collections.abc import Sequence

from bench.figure import Figure
from bench.regions_cut import REGIONS, Healed, healed
from bench.servers import servers

KEYS = 100_000


def figures(keys: int = KEYS) -> list[Figure]:
    with servers() as (kafka, database_url):
        return told(asyncio.run(healed(kafka, database_url, keys)))


def told(found: Healed) -> list[Figure]:
    """The figures that were asked for, out of what was measured."""
    copies = sum(topic.records for topic in found.after.values()) - found.puts
    again = copies - found.puts * (len(REGIONS) - 1)
    standing = ", ".join(f"{number:,} {name}" for name, number in sorted(found.standing.items()))
    keys = max(found.keys.values(), default=0)
    return [
        Figure(
            "cut off for an hour, three regions: hashes that differ once healed",
            len(set(found.digests.values())) - 1,
            "",
            0,
            "<=",
            f"{keys:,} keys, {found.puts:,} writes; of the keys of all regions {standing}",
        ),
        Figure("cut off for an hour: updates not accounted for", found.unaccounted, "writes", 0, "<="),
        Figure(
            "cut off for an hour: from healed to projected everywhere",
            found.seconds,
            "s",
            note=f"{copies / found.seconds:,.0f} copies/s by a replicator that starts then;"
            f" comparing hashes {found.hashing:.1f} s more",
        ),
        Figure(
            "cut off for an hour: passed on between regions",
            found.passed_on / 2**20,
            "MiB",
            note=f"{copies:,} copies of {found.passed_on / max(1, copies):,.0f} bytes, uncompressed;"
            f" {again:,} of them again",
        ),
    ]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.regions", description=__doc__)
    parser.add_argument("--keys", type=int, default=KEYS)
    with servers() as (kafka, database_url):
        found = asyncio.run(healed(kafka, database_url, parser.parse_args(arguments).keys))
    print(f"written and projected in {found.writing:.1f} s")
    for figure in told(found):
        print(f"{figure.name}: {figure.value:,.1f} {figure.unit} ({figure.note}) {figure.met}")


if __name__ == "__main__":
    main()
