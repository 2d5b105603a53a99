"""The projector process: Kafka to Postgres, a task for each partition; beside them sealer and reactor."""

import asyncio
import gc
import signal
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import structlog

from audit.sealer import Sealer
from workers import context_rules
from workers.projecting import Projecting
from workers.projector_metrics import ProjectorMetrics
from workers.settings import Settings

if TYPE_CHECKING:
    from workers.reacting import Reactor

_log = structlog.get_logger(__name__)

METRICS = "127.0.0.1:0"
STOP_WITHIN = 10.0  # seconds for what still runs, once the process is to end


async def run(
    settings: Settings,
    ready: Callable[[], None],
    *,
    topics: Sequence[str] = (),
    partitions: Sequence[int] = (),
    metrics: str = METRICS,
    sealing: bool = True,
    reacting: bool = True,
) -> None:
    """Project, seal and react until SIGTERM or SIGINT; while a server is away, wait for it.

    Args:
        settings: where Kafka and Postgres are.
        ready: told when every partition is taken up.
        topics: logical topics to project; none means all, those of the regions that exist included.
        partitions: of each topic; none means all.
        metrics: host:port for Prometheus; port 0 takes a free one and logs it.
        sealing: whether to keep the Merkle logs and sign checkpoints too.
        reacting: whether siblings that no rule settles become cases; not where no Temporal is named.

    Raises:
        Refusal: the tables or topics are missing, the metrics' place is taken, or the policy of the shared
            context cannot be used or is not the one that it was projected by.
    """
    context_rules.project_by_them()
    calm_the_collector()
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    # What it reads is refused before anything runs.
    reactor = _reactor(settings) if reacting and settings.temporal_address else None
    numbers = ProjectorMetrics()
    _log.info("projector.metrics", address=numbers.serve(metrics))
    work = [asyncio.create_task(Projecting(settings, numbers).project(topics, partitions, ready))]
    if sealing:
        work.append(asyncio.create_task(_sealer(settings).run(stop)))
    if reactor is not None:
        work.append(asyncio.create_task(reactor.run(stop)))
    stopping = asyncio.create_task(stop.wait())
    done, running = await asyncio.wait({*work, stopping}, return_when=asyncio.FIRST_COMPLETED)
    _log.info("projector.stopping")
    stop.set()  # the sealer lives until it is; what ends the process may be the projecting alone
    for task in running:
        task.cancel()
    if running:  # what has not ended by then is cancelled a second time, with the loop: it must not live on
        _, hanging = await asyncio.wait(running, timeout=STOP_WITHIN)
        if hanging:
            _log.warning("projector.hangs", tasks=len(hanging))
    for task in done:
        task.result()


def _reactor(settings: Settings) -> "Reactor":
    from workers import reaction_file
    from workers.reacting import Reactor

    return Reactor(settings, reaction_file.load(), context_rules.rules())


def _sealer(settings: Settings) -> Sealer:
    return Sealer(
        kafka=settings.kafka,
        prefix=settings.topic_prefix,
        database_url=settings.database_url,
        cluster=settings.cluster,
        signing_key=settings.signing_key,
    )


def calm_the_collector() -> None:
    """Settle the process for folding.

    A fold makes hundreds of thousands of objects a second and no cycles; with the collector's default
    thresholds a third of the time goes into looking for some.
    """
    gc.freeze()
    gc.set_threshold(100_000, 20, 20)
