"""Clients with updates, journals and identities, ready for an attempt."""

import base64
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from numpy.random import PCG64, Generator

from activities.privacy import methods
from activities.privacy.methods import SECURE_MPC
from activities.privacy.port import Session
from domain.learning.policy import PrivacySpec
from domain.learning.tensors import TensorSpec
from domain.learning.update import ClientUpdate, TimeRange, UpdateMetadata
from tests.fakes.journal import MemoryJournal
from tests.fakes.privacy_session import Drive

SCHEMA = (
    TensorSpec("bias", "context_patterns", (3,), "float64"),
    TensorSpec("weights", "personality_evolutions", (2, 4)),
)
DAYS = TimeRange(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 8, tzinfo=UTC))


def update_of(client, seed, rows=10, scale=0.3):
    draw = Generator(PCG64(seed))
    return ClientUpdate(
        client,
        {"weights": (scale * draw.uniform(-1, 1, (2, 4))).astype(np.float32)},
        {"bias": scale * draw.uniform(-1, 1, 3)},
        {},
        {},
        UpdateMetadata("secure_sum", rows, DAYS),
    )


def plain_sum(updates):
    """What a sum without any masks gives: weight * change, and the weights."""
    rows = [update.metadata.data_volume for update in updates]
    pairs = list(zip(rows, updates, strict=True))
    return {
        "bias": sum(n * u.context_patterns["bias"] for n, u in pairs),
        "weights": sum(n * u.personality_evolutions["weights"].astype(np.float64) for n, u in pairs),
    }, sum(rows)


def announced(key):
    """As the roster has it."""
    return base64.b64encode(key.public_key().public_bytes_raw()).decode()


@dataclass
class Fleet:
    """`count` clients and an aggregator, each with a journal of its own that survives a `restart`."""

    count: int
    spec: PrivacySpec = field(default_factory=lambda: PrivacySpec("secure_mpc"))
    noise: object = None
    cap: int = 100

    def __post_init__(self):
        self.cohort = tuple(f"c{n:02}" for n in range(self.count))
        self.journals = {client: MemoryJournal() for client in self.cohort}
        self.aggregators = MemoryJournal()
        self.keys = {client: Ed25519PrivateKey.generate() for client in self.cohort}
        self.updates = {client: update_of(client, n, 5 + n) for n, client in enumerate(self.cohort)}

    async def begin(self, *, number=1, attempt=1, **changed):

        self.aggregator = self.installed(self.aggregators).aggregator
        self.nodes = {client: self.restart(client) for client in self.cohort}
        blank = {
            "cycle": "cycle",
            "round": number,
            "attempt": attempt,
            "rounds": 3,
            "cohort": self.cohort,
            "eligible": self.count,
            "identities": {client: announced(key) for client, key in self.keys.items()},
            "spec": self.spec,
            "schema": SCHEMA,
            "aggregator_key": await self.aggregator.prepare(f"cycle/{number}/{attempt}/0"),
            "weight_cap": self.cap,
        }
        self.session = Session(**(blank | changed))
        return self

    def restart(self, client):
        """A new process of the same node: nothing but the journal is left."""
        return self.installed(self.journals[client], self.keys[client]).node(client)

    def installed(self, journal, identity=None):
        if self.noise:
            return methods.hybrid(journal, self.noise, identity)
        return methods.secure_mpc(journal, identity)

    def drive(self, **given):
        return Drive(SECURE_MPC, self.session, self.nodes, self.aggregator, **given)
