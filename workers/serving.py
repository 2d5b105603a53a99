"""How a worker process of Temporal lives: it polls until a signal, then finishes what it has in hand."""

import asyncio
import signal
import socket
from collections.abc import Callable
from datetime import timedelta
from typing import Protocol

import structlog
from temporalio import activity
from temporalio.client import Client
from temporalio.runtime import PrometheusConfig, Runtime, TelemetryConfig
from temporalio.service import RPCError
from temporalio.worker import Worker

from domain.refusal import Refusal
from domain.strict_json import printable
from workers.away import Away, why

_log = structlog.get_logger()

# With the SDK's default of 0 a SIGTERM cancels running activities at once.
GRACE = timedelta(seconds=30)
# An evicted workflow is replayed from its history on its next step, 4 to 8 times slower.
CACHED_WORKFLOWS = 5000
# How long a step waits for the worker that has the workflow cached; after a kill -9 it is waited for in vain.
STICKY = timedelta(seconds=2)
LOOK_EVERY = 2.0  # seconds between two questions whether Temporal is there
_ANSWER_WITHIN = timedelta(seconds=5)


def runtime(metrics: str | None) -> Runtime | None:
    """A runtime that serves the SDK's metrics for Prometheus at `metrics` (host:port); by default none.

    Port 0 takes a free one; where they are is logged.

    Raises:
        Refusal: nothing can be served there.
    """
    if metrics is None:
        return None
    try:
        place = _with_port(metrics)
        made = Runtime(telemetry=TelemetryConfig(metrics=PrometheusConfig(bind_address=place)))
    except (RuntimeError, ValueError, OSError) as error:
        raise Refusal("--metrics", f"nothing can be served at {printable(metrics)}: {error}") from None
    _log.info("worker.metrics", address=f"http://{place}/metrics")
    return made


def _with_port(place: str) -> str:
    host, _, port = place.rpartition(":")
    if port != "0":
        return place
    with socket.create_server((host, 0)) as free:  # the SDK would take one too, and tell nobody which
        return f"{host}:{free.getsockname()[1]}"


class Beside(Protocol):
    """What a worker does besides, from when it polls until it is told to stop."""

    async def keep(self) -> None:
        """Go on until cancelled; a fault ends the worker."""
        ...

    async def leave(self) -> None:
        """Called when it was told to stop, while running activities end."""
        ...


async def serve(worker: Worker, ready: Callable[[], None], beside: Beside | None = None) -> None:
    """Poll until SIGTERM or SIGINT, then let running activities end, for at most `GRACE`.

    Raises:
        Exception: what ended the worker, or what it does `beside`, if that ended by itself.
    """
    activity.logger.activity_info_on_message = False  # it is a field of the line, not a part of its name
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    running = asyncio.create_task(worker.run())
    looking = asyncio.create_task(look_after_temporal(worker.client))
    stopping = asyncio.create_task(stop.wait())
    _log.info("worker.serving", task_queue=worker.task_queue)
    ready()
    keeping = asyncio.create_task(beside.keep() if beside else stop.wait())
    await asyncio.wait({running, stopping, keeping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    looking.cancel()
    fault = keeping.exception() if keeping.done() else None
    keeping.cancel()
    if not running.done():
        _log.info("worker.stopping", task_queue=worker.task_queue, grace_seconds=GRACE.total_seconds())
        leaving = beside.leave() if beside and not fault else asyncio.sleep(0)
        await asyncio.gather(worker.shutdown(), leaving, asyncio.wait({keeping}))
    await running
    if fault is not None:
        raise fault


async def look_after_temporal(client: Client) -> None:
    """Say it once when Temporal leaves and once when it is back: a worker waits for it without a word."""
    away = Away()
    while True:
        try:
            if not await client.service_client.check_health(timeout=_ANSWER_WITHIN):
                raise ConnectionError("it says of itself that it does not serve")
            away.back("temporal")
        except (RPCError, OSError) as error:
            away.left("temporal", why(error))
        await asyncio.sleep(LOOK_EVERY)
