"""`moot worker`: the production processes."""

from collections.abc import Callable
from pathlib import Path

import click

from cli.worker_node import node
from cli.worker_process import METRICS, one_thread_for_sums, run_process
from workers.settings import Settings


@click.group(short_help="The production processes, one each.")
def worker() -> None:
    """Run one worker process until SIGTERM or Ctrl-C."""


@worker.command(epilog="Example:  moot worker orchestrator --metrics 127.0.0.1:9464")
@METRICS
def orchestrator(metrics: str | None) -> None:
    """Workflows, and the activities that need the log and the database."""
    one_thread_for_sums()
    from workers import orchestrator as process

    run_process("orchestrator", lambda settings, ready: process.run(settings, ready, metrics))


@worker.command(epilog="Example:  moot worker projector --topics decisions --partitions 0,1")
@click.option("--topics", metavar="NAMES", help="Separated by commas.  [default: all that are projected]")
@click.option("--partitions", metavar="NUMBERS", default="", help="Separated by commas.  [default: all]")
@click.option("--sealing/--no-sealing", default=True, help="Keep Merkle logs and sign checkpoints as well.")
@click.option(
    "--reacting/--no-reacting", default=True, help="Open cases on siblings that no rule settles as well."
)
@click.option("--metrics", metavar="HOST:PORT", help="For Prometheus.  [default: a free port, logged]")
def projector(
    *, topics: str | None, partitions: str, sealing: bool, reacting: bool, metrics: str | None
) -> None:
    """Kafka to Postgres, exactly once; the sealer and the reactor."""
    from workers import projector as process

    chosen = tuple(topics.split(",")) if topics else ()
    places = _numbers(partitions)
    run_process(
        "projector",
        lambda settings, ready: process.run(
            settings,
            ready,
            topics=chosen,
            partitions=places,
            metrics=metrics or process.METRICS,
            sealing=sealing,
            reacting=reacting,
        ),
        ("kafka", "database_url"),
    )


REPLICATOR = """\b
Examples:
  moot worker replicator                            every region to every other, in one cluster
  moot worker replicator --from eu --to us=HOST:PORT
  moot worker replicator --mirrored eu --to us      from eu.context.eu, which MirrorMaker 2 keeps
"""


@worker.command(epilog=REPLICATOR)
@click.option(
    "--from",
    "sources",
    multiple=True,
    metavar="REGION[=KAFKA]",
    help="A region whose writes are passed on; repeat it.  [default: all of our cluster]",
)
@click.option(
    "--to",
    "targets",
    multiple=True,
    metavar="REGION[=KAFKA]",
    help="A region that gets them; repeat it.  [default: all of our cluster]",
)
@click.option(
    "--mirrored",
    multiple=True,
    metavar="REGION[=TOPIC]",
    help="A source, read from the TOPIC of our cluster that MirrorMaker 2 copies it to.",
)
@click.option(
    "--policy",
    type=click.Path(path_type=Path),
    help="How often each layer is passed on, and what is pinned: a TOML or JSON file.",
)
@click.option("--again", is_flag=True, help="Pass on everything once more, after a pin was lifted.")
@click.option("--metrics", metavar="HOST:PORT", help="For Prometheus.  [default: a free port, logged]")
def replicator(
    *,
    sources: tuple[str, ...],
    targets: tuple[str, ...],
    mirrored: tuple[str, ...],
    policy: Path | None,
    again: bool,
    metrics: str | None,
) -> None:
    """Shared context from region to region, each layer when its turn comes."""
    from workers import context_policy
    from workers import replicator as process
    from workers import replicator_places as places
    from workers.replicating import Place

    rules = context_policy.load(policy)

    async def run(settings: Settings, ready: Callable[[], None]) -> None:
        kafka, prefix = settings.kafka, settings.topic_prefix
        named = [places.place(text, "--from", kafka, prefix) for text in sources]
        named += [places.mirrored(text, kafka, prefix) for text in mirrored]
        others = [places.place(text, "--to", kafka, prefix) for text in targets]
        places.check_once(named, "--from")
        places.check_once(others, "--to")
        own = None if named and others else Place("", kafka, prefix)
        await process.run(
            named, others, own, policy=rules, ready=ready, metrics=metrics or process.METRICS, again=again
        )

    run_process("replicator", run, () if (sources or mirrored) and targets else ("kafka",))


def _numbers(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(",")) if text else ()
    except ValueError:
        raise click.BadParameter(
            "write numbers separated by commas, 0,1", param_hint="--partitions"
        ) from None


worker.add_command(node)
