"""The replicator process: every region's writes to every other region, each link and layer by itself."""

import asyncio
import signal
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from functools import partial

import structlog

from domain.context.layers import NAMES
from domain.context.policy import ContextPolicy
from domain.refusal import Refusal
from eventlog.reader import LogReader
from eventlog.together import together
from workers import metrics_server
from workers.away import Away, why
from workers.replicating import Link, Passing, Place
from workers.replicator_metrics import ReplicatorMetrics

_log = structlog.get_logger(__name__)

METRICS = "127.0.0.1:0"
STOP_WITHIN = 5.0  # seconds for connections to be closed, of which some may be away
REGIONS_EVERY = 2.0  # seconds between two looks for a region that is new


class RegionFound(Exception):  # no error: it ends the links between the regions there were
    """A region exists that did not when the links were made."""


async def run(
    sources: Sequence[Place],
    targets: Sequence[Place],
    own: Place | None,
    *,
    policy: ContextPolicy,
    ready: Callable[[], None],
    metrics: str = METRICS,
    again: bool = False,
) -> None:
    """Pass on until SIGTERM or SIGINT.

    Args:
        sources: the regions whose writes are passed on; none means all of the `own` cluster, those that begin
            to exist later included.
        targets: the regions that get them; none means the same.
        own: our cluster, its `region` empty; None where sources and targets are both named.
        policy: how often each layer's turn comes, and what is pinned.
        ready: told when each link was tried.
        metrics: host:port for Prometheus; port 0 takes a free one and logs it.
        again: from the beginning of the log, once: after a pin was lifted.

    Raises:
        Refusal: there are no two regions, or the metrics' place is taken.
    """
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    numbers = ReplicatorMetrics()
    _log.info("replicator.metrics", address=metrics_server.serve(metrics, numbers.registry))
    work = asyncio.create_task(
        work_on(sources, targets, own, again, partial(replicate, policy, ready, numbers))
    )
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({work, stopping}, return_when=asyncio.FIRST_COMPLETED)
    _log.info("replicator.stopping")
    stopping.cancel()
    if work.done():
        work.result()
    work.cancel()
    await asyncio.wait({work}, timeout=STOP_WITHIN)


async def replicate(
    policy: ContextPolicy,
    ready: Callable[[], None],
    numbers: ReplicatorMetrics,
    again: bool,  # noqa: FBT001 # as it was told
    links: Sequence[Link],
) -> None:
    """Keep every link until cancelled; `ready` is told once all were tried."""
    passings = [Passing(link, layer, policy, numbers, again=again) for link in links for layer in NAMES]
    tried: set[Passing] = set()

    def told(passing: Passing) -> None:
        if passing not in tried:
            tried.add(passing)
            if len(tried) == len(passings):
                ready()

    away = Away()
    await together(*(passing.keep(away, lambda p=passing: told(p)) for passing in passings))  # type: ignore[misc] # mypy knows no lambda with a default


async def work_on(
    sources: Sequence[Place],
    targets: Sequence[Place],
    own: Place | None,
    again: bool,  # noqa: FBT001 # as it was told
    pass_on: Callable[[bool, Sequence[Link]], Coroutine[None, None, None]],
) -> None:
    """Keep the links between sources and targets, or between what our own cluster has of them at any time."""
    if own is None:
        await pass_on(again, _links(sources, targets))
        return
    while True:
        regions = await _regions(own)
        links = _links(sources or regions, targets or regions)
        try:
            await together(pass_on(again, links), _look_for_more(own, regions))
        except RegionFound:
            again = False  # the links that there were have begun it, and their places are kept


def _links(sources: Sequence[Place], targets: Sequence[Place]) -> list[Link]:
    links = [
        Link(source, target) for source in sources for target in targets if source.region != target.region
    ]
    if not links:
        known = ", ".join(dict.fromkeys(place.region for place in [*sources, *targets])) or "none"
        raise Refusal(
            "regions",
            f"two at least are needed, there is {known}: `moot migrate --region NAME` makes another",
        )
    _log.info("replicator.links", links=[link.name for link in links])
    return links


async def _look_for_more(own: Place, known: Sequence[Place]) -> None:
    """Raises: RegionFound."""
    found: list[Place] = []
    while not found:
        with suppress(OSError):  # Kafka away is said by the links
            async with LogReader(own.kafka, own.prefix) as reader:
                while not found:
                    await asyncio.sleep(REGIONS_EVERY)
                    found = [place for place in await _there(reader, own) if place not in known]
        await asyncio.sleep(REGIONS_EVERY)
    _log.info("replicator.regions_found", regions=[place.region for place in found])
    raise RegionFound


async def _there(reader: LogReader, own: Place) -> list[Place]:
    topics = [topic.partition(".") for topic in await reader.topics()]
    return [Place(region, own.kafka, own.prefix) for family, _, region in topics if family == "context"]


async def _regions(own: Place) -> list[Place]:
    """All of our own cluster, once it answers."""
    away = Away()
    while True:
        try:
            async with LogReader(own.kafka, own.prefix) as reader:
                there = await _there(reader, own)
        except OSError as error:
            away.left("kafka", why(error))
            await away.wait("kafka")
        else:
            away.back("kafka")
            return there
