"""How a worker process begins and ends, whichever it is."""

import asyncio
import os
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


def one_thread_for_sums() -> None:
    """Before numpy is loaded: a matrix is multiplied by one thread.

    How a sum is divided among threads decides its last bits, and the same seed must give the same update, and
    the same loss on the record, on any machine. It also is faster where processes share a machine: threads of
    OpenBLAS that wait for the next product keep a core busy.
    """
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"):
        os.environ[name] = "1"
