"""How a worker process of Temporal lives: it polls until a signal, then finishes what it has in hand."""

import asyncio
import signal
from collections.abc import Callable
from datetime import timedelta

import structlog
from temporalio import activity
from temporalio.runtime import PrometheusConfig, Runtime, TelemetryConfig
from temporalio.worker import Worker

from domain.refusal import Refusal
from domain.strict_json import printable

_log = structlog.get_logger()

# With the SDK's default of 0 a SIGTERM cancels running activities at once.
GRACE = timedelta(seconds=30)
# An evicted workflow is replayed from its history on its next step, 4 to 8 times slower.
CACHED_WORKFLOWS = 5000
# How long a step waits for the worker that has the workflow cached; after a kill -9 it is waited for in vain.
STICKY = timedelta(seconds=2)


def runtime(metrics: str | None) -> Runtime | None:
    """A runtime that serves the SDK's metrics for Prometheus at `metrics` (host:port); by default none.

    Raises:
        Refusal: nothing can be served there.
    """
    if metrics is None:
        return None
    try:
        return Runtime(telemetry=TelemetryConfig(metrics=PrometheusConfig(bind_address=metrics)))
    except (RuntimeError, ValueError) as error:
        raise Refusal("--metrics", f"nothing can be served at {printable(metrics)}: {error}") from None


async def serve(worker: Worker, ready: Callable[[], None]) -> None:
    """Poll until SIGTERM or SIGINT, then let running activities end, for at most `GRACE`.

    Raises:
        Exception: what ended the worker, if it ended by itself.
    """
    activity.logger.activity_info_on_message = False  # it is a field of the line, not a part of its name
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    running = asyncio.create_task(worker.run())
    stopping = asyncio.create_task(stop.wait())
    _log.info("worker.serving", task_queue=worker.task_queue)
    ready()
    await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if not running.done():
        _log.info("worker.stopping", task_queue=worker.task_queue, grace_seconds=GRACE.total_seconds())
        await worker.shutdown()
    await running
