"""The replicator process: every region's writes to every other region, each link and layer by itself."""

import asyncio
import signal
from collections.abc import Callable, Coroutine, Sequence
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
        sources: the regions whose writes are passed on; none means all of the `own` cluster.
        targets: the regions that get them; none means all of the `own` cluster.
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
        _work(sources, targets, own, partial(replicate, policy, ready, numbers, again))
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


async def _work(
    sources: Sequence[Place],
    targets: Sequence[Place],
    own: Place | None,
    pass_on: Callable[[Sequence[Link]], Coroutine[None, None, None]],
) -> None:
    if own is not None:
        regions = await _regions(own)
        sources, targets = sources or regions, targets or regions
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
    await pass_on(links)


async def _regions(own: Place) -> list[Place]:
    """All of our own cluster, once it answers."""
    away = Away()
    while True:
        try:
            async with LogReader(own.kafka, own.prefix) as reader:
                topics = [topic.partition(".") for topic in await reader.topics()]
            away.back("kafka")
            return [
                Place(region, own.kafka, own.prefix) for family, _, region in topics if family == "context"
            ]
        except OSError as error:
            away.left("kafka", why(error))
            await away.wait("kafka")
