"""Where the replicator reads and writes, as its command line names it."""

from collections.abc import Sequence

from domain.context.region import check_region
from domain.refusal import Refusal
from domain.strict_json import printable
from eventlog.connection import options
from eventlog.topics import regional
from workers.replicating import Place


def place(text: str, option: str, kafka: str, prefix: str) -> Place:
    """The place that `REGION` (in our own cluster, at `kafka`) or `REGION=KAFKA` names.

    Raises:
        Refusal: it is no region, or no address; or our own cluster is meant and none is set.
    """
    region, _, elsewhere = text.partition("=")
    check_region(region, option)
    if elsewhere:
        options(elsewhere)
    elif not kafka:
        raise Refusal(option, f"{region} has no address: write {region}=HOST:PORT, or set FOLKMOOT_KAFKA")
    return Place(region, elsewhere or kafka, prefix)


def mirrored(text: str, kafka: str, prefix: str) -> Place:
    """The copy of a region's topic that MirrorMaker 2 keeps in our own cluster: `REGION` or `REGION=TOPIC`.

    TOPIC is Kafka's name of it; by default MirrorMaker's own, `<region>.<the topic>`.

    Raises:
        Refusal: it is no region, or the topic's name does not end like a region's.
    """
    region, _, topic = text.partition("=")
    check_region(region, "--mirrored")
    logical = regional("context", region)
    name = topic or f"{region}.{prefix}{logical}"
    if not name.endswith(logical):
        raise Refusal("--mirrored", f"'{printable(name, 80)}' does not end in {logical}")
    if not kafka:
        raise Refusal("--mirrored", "reads from our own cluster: set FOLKMOOT_KAFKA")
    return Place(region, kafka, name.removesuffix(logical))


def check_once(places: Sequence[Place], option: str) -> None:
    """Refuse a region that is named twice: its writes would be passed on twice.

    Raises:
        Refusal: the region by its name.
    """
    regions = [place.region for place in places]
    twice = next((region for region in regions if regions.count(region) > 1), None)
    if twice is not None:
        raise Refusal(option, f"{twice} is named twice")
