"""`moot worker`: the production processes."""

import asyncio
from collections.abc import Callable, Coroutine

import click

from workers.settings import Settings

Run = Callable[[Settings, Callable[[], None]], Coroutine[None, None, None]]
Metrics = click.option("--metrics", metavar="HOST:PORT", help="Serve numbers for Prometheus there.")


@click.group(short_help="The production processes, one each.")
def worker() -> None:
    """Run one worker process until SIGTERM or Ctrl-C."""


@worker.command(epilog="Example:  moot worker orchestrator --metrics 127.0.0.1:9464")
@Metrics
def orchestrator(metrics: str | None) -> None:
    """Workflows, and the activities that need the log and the database."""
    from workers import orchestrator as process

    _run("orchestrator", lambda settings, ready: process.run(settings, ready, metrics))


@worker.command(epilog="Example:  moot worker node --id eu-1 --region eu --reasoner my_reasoners:for_eu")
@click.option("--id", "node", required=True, help="The id that voters of kind reasoner name.")
@click.option("--region", help="Where it is: shown with it in Temporal and in its log lines.")
@click.option("--reasoner", metavar="MODULE:FACTORY", help="What answers; without it the node abstains.")
@Metrics
def node(node: str, region: str | None, reasoner: str | None, metrics: str | None) -> None:
    """One region's or edge's own reasoning, on its own task queue."""
    from workers import node as process

    needs = ("temporal_address",)
    _run(
        "node",
        lambda settings, ready: process.run(settings, node, ready, reasoner, metrics, region=region),
        needs,
    )


@worker.command(epilog="Example:  moot worker projector --topics decisions --partitions 0,1")
@click.option("--topics", metavar="NAMES", help="Separated by commas.  [default: all that are projected]")
@click.option("--partitions", metavar="NUMBERS", default="", help="Separated by commas.  [default: all]")
@click.option("--sealing/--no-sealing", default=True, help="Keep Merkle logs and sign checkpoints as well.")
@click.option("--metrics", metavar="HOST:PORT", help="For Prometheus.  [default: a free port, logged]")
def projector(topics: str | None, partitions: str, sealing: bool, metrics: str | None) -> None:  # noqa: FBT001 # click's flag
    """Kafka to Postgres, exactly once; and the sealer."""
    from workers import projector as process

    chosen = tuple(topics.split(",")) if topics else ()
    places = _numbers(partitions)
    _run(
        "projector",
        lambda settings, ready: process.run(
            settings,
            ready,
            topics=chosen,
            partitions=places,
            metrics=metrics or process.METRICS,
            sealing=sealing,
        ),
        ("kafka", "database_url"),
    )


def _numbers(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(",")) if text else ()
    except ValueError:
        raise click.BadParameter(
            "write numbers separated by commas, 0,1", param_hint="--partitions"
        ) from None


def _run(name: str, process: Run, needs: tuple[str, ...] | None = None) -> None:
    from workers import log, ready
    from workers.settings import load

    log.set_up(name)
    settings = load(needs=needs) if needs else load()
    try:
        asyncio.run(process(settings, ready.Announcing(settings.data, name)))
    finally:
        ready.withdraw(settings.data, name)
