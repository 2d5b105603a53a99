"""A round of learning on a whole stack, everything durable: real node processes, broker, server, database.

A perceptron of 4,810 numbers, one epoch on digits that are dealt out to the clients, everybody in each round,
and all digits as the holdout. Flower's own processes train the same in the same run, where it is installed.
"""

import asyncio
import os
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median

from bench import flower_peer
from bench.family import megabytes
from bench.figure import Figure
from bench.flower_peer import ABSENT, Peer
from bench.learning_fleet import Trained, fleet, train
from bench.stack import Stack, running
from workers.temporal_client import connect

WARM, ROUNDS = 3, 20
COMPARED = 10
"""As many rounds as `bench/flower/apps.py` has: after them both say how accurate their model is."""
LOOK = 1.0  # a look costs the processor what a round needs, too
OURS = ("orchestrator",)
SERVERS = ("temporal", "kafka", "postgres", "projector", "moot dev")
FLOWER_MB = 912.0


@dataclass(slots=True)
class Held:
    """The most that processes held at one look, in MB."""

    ours: float = 0.0
    servers: dict[str, float] = field(default_factory=dict)


def figures() -> list[Figure]:
    """Two node processes; one with ten clients, and with a hundred."""
    with running() as stack:
        found = [
            *_measured(stack, 2, 2, 1.0, "2 node processes"),
            *_measured(stack, 1, 10, 0.1, "10 clients in one node process"),
            *_measured(stack, 1, 100, 0.4, "100 clients in one node process"),
        ]
    return [*found, *_flowers()]


def _measured(stack: Stack, hosts: int, clients: int, seconds: float, name: str) -> Iterator[Figure]:
    with fleet(stack, hosts, clients) as (region, nodes), _watched(stack, nodes) as held:
        trained = asyncio.run(_trained(stack, region, clients))
    took, load = trained.seconds, os.getloadavg()[0]
    note = (
        f"median of {len(took)}, {min(took):.3f} to {max(took):.3f}; after {COMPARED} rounds"
        f" {trained.accuracy[COMPARED - 1]:.3f} of the digits right; load {load:.1f}"
    )
    yield Figure(f"a round, {name}", median(took), "s", seconds, "<=", note)
    besides = ", ".join(f"{part} {held.servers.get(part, 0):.0f}" for part in SERVERS)
    yield Figure(
        f"memory, {name}",
        held.ours,
        "MB",
        FLOWER_MB / 3 if hosts == 1 else None,
        "<=",
        f"the orchestrator and the nodes; besides, {besides}",
    )


async def _trained(stack: Stack, region: str, clients: int) -> Trained:
    client = await connect(stack.settings)
    await train(client, stack, region, clients, WARM)
    return await train(client, stack, region, clients, ROUNDS)


def _flowers() -> list[Figure]:
    if not flower_peer.there():
        return [Figure("Flower", 0.0, "s", note=ABSENT)]
    asked = {
        "deployment, 2 nodes": ("deployment.py", 2),
        "simulation, 10 clients": ("simulation.py", 10),
        "simulation, 100 clients": ("simulation.py", 100),
    }
    found: list[Figure] = []
    for name, (script, clients) in asked.items():
        try:
            peer = flower_peer.run(script, clients=clients)
        except RuntimeError as error:
            found.append(flower_peer.no_result(f"Flower's {name}", error))
        else:
            found += _of_flower(name, peer) if peer else ()
    return found


def _of_flower(name: str, peer: Peer) -> Iterator[Figure]:
    first, *more = peer.rounds
    note = (
        f"median of {len(more)}; its first round took {first:.1f} s; after {len(peer.rounds)} rounds"
        f" {peer.said['accuracy']:.3f} of the digits right; load {os.getloadavg()[0]:.1f}"
    )
    yield Figure(f"Flower's {name}: a round", median(more), "s", note=note)
    yield Figure(f"Flower's {name}: memory", peer.megabytes, "MB", note="all its processes, at the most")


@contextmanager
def _watched(stack: Stack, nodes: Iterable[int]) -> Iterator[Held]:
    held, over = Held(), threading.Event()

    def look() -> None:
        while not over.wait(LOOK):
            servers = megabytes(stack.process.pid)
            ours = sum(servers.pop(name, 0.0) for name in OURS)
            ours += sum(sum(megabytes(node).values()) for node in nodes)
            held.ours = max(held.ours, ours)
            held.servers = {name: max(mb, held.servers.get(name, 0.0)) for name, mb in servers.items()}

    looking = threading.Thread(target=look)
    looking.start()
    try:
        yield held
    finally:
        over.set()
        looking.join()
