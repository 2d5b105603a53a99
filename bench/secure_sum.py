"""Secure sums in one process, both halves for real: n = 100 by dropouts, and n = 1,000 by shards.

`python -m bench.secure_sum [--clients N] [--large]`. Drops out who masked no update although it had dealt
shares, which costs the aggregator most. A client's time is all its steps together; its bytes are all it sends
and is sent, the session with everybody's identities included, but not the model, which travels in any case.
Journals are in memory: what a disk adds is the disk's.
"""

import argparse
import asyncio
import base64
import json
import resource
import statistics
import time
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeVar

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from activities.privacy.identity import Pins
from activities.privacy.methods import SECURE_MPC
from activities.privacy.port import Session, salt_of
from activities.privacy.secure_aggregator import SecureAggregator
from activities.privacy.secure_node import SecureNode
from bench.figure import Figure
from domain.learning.policy import PrivacySpec
from domain.learning.shards import shards
from domain.learning.tensors import TensorSpec
from domain.learning.update import ClientUpdate, TimeRange, UpdateMetadata

T = TypeVar("T")
NUMBERS = 100_000
CLIENTS = 100
DROPOUTS = (0.0, 0.1, 0.3)
SERVER_SECONDS = {0.0: 0.05, 0.1: 0.25, 0.3: 0.5}
CLIENT_MS = 40
BYTES_RATIO = 1.1
ROUNDS = 3
_SCHEMA = (TensorSpec("w", "context_patterns", (NUMBERS,)),)
_DAY = datetime(2026, 1, 1, tzinfo=UTC)


class Memory:
    """A journal that lasts as long as the bench."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    async def once(self, key: str, value: bytes) -> bytes:
        return self._kept.setdefault(key, value)

    async def read(self, key: str) -> bytes | None:
        return self._kept.get(key)

    async def forget(self, prefix: str) -> None:
        self._kept = {key: value for key, value in self._kept.items() if not key.startswith(prefix)}


@dataclass
class Took:
    """Seconds and bytes of one attempt: of each client, and of the aggregator by step."""

    client: dict[str, float] = field(default_factory=dict)
    server: dict[str, float] = field(default_factory=dict)
    sent: dict[str, int] = field(default_factory=dict)
    cpu: float = 0.0

    def moved(self, messages: Mapping[str, bytes]) -> None:
        for client, message in messages.items():
            self.sent[client] = self.sent.get(client, 0) + len(message)


def announced(key: Ed25519PrivateKey) -> str:
    """As the roster has it."""
    return base64.b64encode(key.public_key().public_bytes_raw()).decode()


def fleet(clients: Sequence[str]) -> dict[str, Ed25519PrivateKey]:
    return {client: Ed25519PrivateKey.generate() for client in clients}


async def attempt(keys: Mapping[str, Ed25519PrivateKey], dropouts: float, shard: int = 0) -> Took:
    """One attempt of these clients, of whom the last share of `dropouts` mask nothing."""
    cohort, took = tuple(sorted(keys)), Took()
    aggregator = SecureAggregator(Memory())
    session = Session(
        cycle="bench",
        round=1,
        attempt=1,
        rounds=1,
        cohort=cohort,
        eligible=len(cohort),
        identities={client: announced(key) for client, key in keys.items()},
        spec=PrivacySpec("secure_mpc"),
        schema=_SCHEMA,
        aggregator_key=await aggregator.prepare(salt_of("bench", 1, 1, shard)),
        shard=shard,
        weight_cap=100,
    )
    said = {c: base64.b64decode(key).hex() for c, key in session.identities.items()}
    took.moved(dict.fromkeys(cohort, json.dumps(said).encode()))
    nodes = {client: SecureNode(client, key, j := Memory(), Pins(j)) for client, key in keys.items()}
    outboxes: Mapping[str, bytes] = dict.fromkeys(cohort, b"")
    for step in SECURE_MPC.before:
        outboxes = await _round(step, session, (nodes, aggregator), outboxes, took)
    staying = cohort[: round(len(cohort) * (1 - dropouts))]
    masked = {}
    for client in staying:
        change = np.full(NUMBERS, 0.25, np.float32)
        meta = UpdateMetadata("secure_sum", 50, TimeRange(_DAY, _DAY))
        update = ClientUpdate(client, {}, {"w": change}, {}, {}, meta)
        begun = time.process_time()
        protecting = nodes[client].protect(session, update)
        masked[client] = (await _timed(protecting, took.client, client)).content
        took.cpu += (time.process_time() - begun) / len(staying)
    took.moved(masked)
    outboxes = masked
    for step in SECURE_MPC.after:
        outboxes = await _round(step, session, (nodes, aggregator), outboxes, took)
    found = await _timed(aggregator.sum(session, masked, outboxes), took.server, "sum")
    wanted = 0.25 * 50 * len(staying)
    if abs(found.total["w"] - wanted).max() > 1e-3 or found.weight != 50 * len(staying):
        raise AssertionError(found)
    return took


async def _round(
    step: str,
    session: Session,
    halves: tuple[Mapping[str, SecureNode], SecureAggregator],
    outboxes: Mapping[str, bytes],
    took: Took,
) -> dict[str, bytes]:
    nodes, aggregator = halves
    start = time.perf_counter()
    inboxes = aggregator.route(step, session, outboxes)
    took.server[step] = time.perf_counter() - start
    begun = time.process_time()
    answers = {
        client: await _timed(nodes[client].exchange(step, session, inbox), took.client, client)
        for client, inbox in inboxes.items()
    }
    took.cpu += (time.process_time() - begun) / len(session.cohort)
    took.moved(inboxes)
    took.moved(answers)
    return answers


async def _timed(work: Awaitable[T], into: dict[str, float], name: str) -> T:
    start = time.perf_counter()
    answer = await work
    into[name] = into.get(name, 0.0) + time.perf_counter() - start
    return answer


def hundred(clients: int = CLIENTS) -> list[Figure]:
    """Medians of three attempts for each share of dropouts."""
    keys = fleet([f"client-{n:04}" for n in range(clients)])
    found = []
    for dropouts in DROPOUTS:
        runs = [asyncio.run(attempt(keys, dropouts)) for _ in range(ROUNDS)]
        server = statistics.median(sum(run.server.values()) for run in runs)
        last = statistics.median(run.server["sum"] for run in runs)
        client = statistics.median(statistics.median(run.client.values()) for run in runs)
        cpu = statistics.median(run.cpu for run in runs)
        ratio = max(runs[0].sent.values()) / (NUMBERS * 4)
        name = f"n={clients}, {dropouts:.0%} dropouts"
        f"median client, all its steps; {cpu * 1000:.1f} ms of processor"
        found += [
            Figure(
                f"server, {name}", server, "s", SERVER_SECONDS[dropouts], "<=", f"the sum alone {last:.3f}"
            ),
            Figure(
                f"client, {name}",
                client * 1000,
                "ms",
                CLIENT_MS,
                "<=",
                f"median client, all its steps; {cpu * 1000:.1f} ms of processor",
            ),
            Figure(
                f"bytes, {name}", ratio, "x plain", BYTES_RATIO, "<=", "both ways, the most of any client"
            ),
        ]
    return found


def thousand(clients: int = 1_000) -> list[Figure]:
    """Every shard after the other, a tenth of each dropping out."""
    keys = fleet([f"client-{n:04}" for n in range(clients)])
    start = time.perf_counter()
    runs = [
        asyncio.run(attempt({client: keys[client] for client in part}, 0.1, number))
        for number, part in enumerate(shards(tuple(keys), 7))
    ]
    whole = time.perf_counter() - start
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sent = sum(sum(run.sent.values()) for run in runs)
    slowest = statistics.median(t for run in runs for t in run.client.values())
    return [
        Figure(f"server, n={clients}, 10% dropouts", sum(sum(r.server.values()) for r in runs), "s"),
        Figure(f"client, n={clients}", slowest * 1000, "ms", note="median client, all its steps"),
        Figure(
            f"bytes, n={clients}, all together",
            sent / 2**20,
            "MiB",
            note=f"{sent / (4 * NUMBERS * clients):.3f} x plain",
        ),
        Figure(
            f"everything, n={clients}, one process", whole, "s", note=f"{len(runs)} shards, clients included"
        ),
        Figure(
            f"peak memory, n={clients}", memory, "MiB", note="the whole process, all clients of a shard in it"
        ),
    ]


def figures() -> list[Figure]:
    """What is asked at n = 100, and what n = 1,000 takes."""
    return [*hundred(), *thousand()]


if __name__ == "__main__":
    reading = argparse.ArgumentParser(prog="python -m bench.secure_sum")
    reading.add_argument("--clients", type=int, default=CLIENTS)
    reading.add_argument("--large", action="store_true", help="n = 1,000 as well")
    asked = reading.parse_args()
    for figure in hundred(asked.clients) + (thousand() if asked.large else []):
        print(f"{figure.name:42} {figure.value:10.4f} {figure.unit:8} {figure.target or ''} {figure.note}")
