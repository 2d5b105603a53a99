"""Rounds of `bench.privacy` through both halves of the methods that hide updates in a sum, in one process."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np

from activities.privacy import methods
from activities.privacy.port import AggregatorHalf, NodeHalf, Session, salt_of
from activities.privacy.registry import Installed
from bench.privacy_run import CLIP, Change, Numbers, Summed
from bench.secure_attempt import Memory, announced, fleet
from domain.learning.policy import PrivacySpec
from domain.learning.tensors import TensorSpec
from domain.learning.update import ClientUpdate, TimeRange, UpdateMetadata
from workers.privacy_methods import NOISE

SCHEMA = (
    TensorSpec("bias", "context_patterns", (10,)),
    TensorSpec("weights", "personality_evolutions", (64, 10)),
)
_DAY = datetime(2026, 1, 1, tzinfo=UTC)
_MADE = {
    "secure_mpc": methods.secure_mpc,
    "homomorphic_encryption": methods.homomorphic_encryption,
    "hybrid": lambda *given: methods.hybrid(given[0], NOISE, *given[1:]),
}


class Halves(Summed):
    """A sum by a real method; every client weighs one. `sent`: bytes of all clients, of `asked` of them.

    `noise`: of hybrid, times the clip. Keys are new in every round, as in a cycle.
    """

    def __init__(self, name: str, noise: float | None = None) -> None:
        self._name, self._noise, self._round = name, noise, 0
        self.sent = self.asked = 0

    def release(self, changes: list[Change], _: np.random.Generator) -> Change:
        self._round += 1
        return asyncio.run(self._released(changes))

    async def _released(self, changes: list[Change]) -> Change:
        cohort = tuple(f"c{number:03}" for number in range(len(changes)))
        keys = fleet(cohort)
        aggregator = _half(_MADE[self._name](Memory()))
        session = Session(
            cycle="bench",
            round=self._round,
            attempt=1,
            rounds=40,
            cohort=cohort,
            eligible=len(cohort),
            identities={client: announced(key) for client, key in keys.items()},
            spec=PrivacySpec(
                self._name,
                noise_multiplier=self._noise,
                clip=CLIP,
                key_holder=cohort[0] if self._name == "homomorphic_encryption" else None,
            ),
            schema=SCHEMA,
            aggregator_key=await aggregator.prepare(salt_of("bench", self._round, 1)),
            weight_cap=1,
        )
        installed = {client: _MADE[self._name](Memory(), key) for client, key in keys.items()}
        nodes = {client: _node(one, client) for client, one in installed.items()}
        method = installed[cohort[0]].method(session.spec)
        await self._messages(method.before, session, (nodes, aggregator), dict.fromkeys(cohort, b""))
        hidden = {}
        for client, change in zip(cohort, changes, strict=True):
            hidden[client] = (await nodes[client].protect(session, _update(client, change))).content
        self._count(hidden)
        self.asked += len(cohort)
        revealed = await self._messages(method.after, session, (nodes, aggregator), hidden)
        found = await aggregator.sum(session, hidden, revealed)
        return {name: np.asarray(array, np.float64) for name, array in found.total.items()}

    async def _messages(
        self,
        steps: Sequence[str],
        session: Session,
        halves: tuple[Mapping[str, NodeHalf], AggregatorHalf],
        outboxes: Mapping[str, bytes],
    ) -> Mapping[str, bytes]:
        nodes, aggregator = halves
        for step in steps:
            inboxes = aggregator.route(step, session, outboxes).inboxes
            outboxes = {one: await nodes[one].exchange(step, session, box) for one, box in inboxes.items()}
            self._count(inboxes)
            self._count(outboxes)
        return outboxes

    def _count(self, messages: Mapping[str, bytes]) -> None:
        self.sent += sum(map(len, messages.values()))


def _update(client: str, change: Mapping[str, Numbers]) -> ClientUpdate:
    made = {name: array.astype(np.float32) for name, array in change.items()}
    metadata = UpdateMetadata("none", 1, TimeRange(_DAY, _DAY))
    return ClientUpdate(client, {"weights": made["weights"]}, {"bias": made["bias"]}, {}, {}, metadata)


def _half(installed: Installed) -> Any:
    return installed.aggregator


def _node(installed: Installed, client: str) -> NodeHalf:
    if installed.node is None:
        raise AssertionError("it was made with an identity")
    return installed.node(client)
