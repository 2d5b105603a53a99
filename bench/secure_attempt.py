"""One attempt of a secure sum in one process, timed and weighed: for `bench.secure_sum`."""

import base64
import json
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
from domain.learning.policy import PrivacySpec
from domain.learning.tensors import TensorSpec
from domain.learning.update import ClientUpdate, TimeRange, UpdateMetadata

T = TypeVar("T")
NUMBERS = 100_000
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
    """Seconds and bytes of one attempt: of each client, and of the aggregator by step.

    `cpu`: processor seconds of a client, the mean; `server_cpu`: of the aggregator's sum. `stayed`: clients
    that did every step.
    """

    client: dict[str, float] = field(default_factory=dict)
    server: dict[str, float] = field(default_factory=dict)
    sent: dict[str, int] = field(default_factory=dict)
    cpu: float = 0.0
    server_cpu: float = 0.0
    stayed: tuple[str, ...] = ()

    @property
    def whole_client(self) -> float:
        """Seconds of the median client among those who did every step: who dropped out did fewer."""
        return statistics.median(self.client[client] for client in self.stayed)

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
    staying = took.stayed = cohort[: round(len(cohort) * (1 - dropouts))]
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
    begun = time.process_time()
    found = await _timed(aggregator.sum(session, masked, outboxes), took.server, "sum")
    took.server_cpu = time.process_time() - begun
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
    inboxes = aggregator.route(step, session, outboxes).inboxes
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
