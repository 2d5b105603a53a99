"""How a worker process begins and ends, whichever it is."""

import asyncio
from collections.abc import Callable, Coroutine

import click

from workers.settings import Settings

Run = Callable[[Settings, Callable[[], None]], Coroutine[None, None, None]]
METRICS = click.option("--metrics", metavar="HOST:PORT", help="Serve numbers for Prometheus there.")


def run_process(name: str, process: Run, needs: tuple[str, ...] | None = None) -> None:
    """Run it as the worker `name` until it ends; `needs` are the servers that it cannot do without."""
    from workers import log, ready
    from workers.settings import load

    log.set_up(name)
    settings = load() if needs is None else load(needs=needs)
    try:
        asyncio.run(process(settings, ready.Announcing(settings.data, name)))
    finally:
        ready.withdraw(settings.data, name)
