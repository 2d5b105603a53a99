"""A toy privacy method with message rounds on both sides of training: not private, only driven like one.

Before: each client says hello and is told how many did. Protect: the update, weighted, with the toy's pad on
it. After: each that trained says its pad, and the sum is unpadded.
"""

from dataclasses import dataclass

import numpy as np

from activities import update_file
from activities.privacy.port import Passed, Protected, RoundLost, Sum
from activities.privacy.registry import Installed
from domain.learning import tensor_file
from domain.learning.seeds import seed_of
from domain.refusal import Refusal


@dataclass(frozen=True)
class Toy:
    name: str = "secure_mpc"
    individual: bool = False
    before: tuple = ("hello",)
    after: tuple = ("reveal",)


class ToyNode:
    def __init__(self, client, journal, silent=()):
        self.client, self.journal, self.silent = client, journal, silent

    async def exchange(self, step, session, inbox):
        if (step, self.client) in self.silent:
            raise Refusal("step", f"{self.client} is silent at {step}")
        if step == "hello":
            assert session.aggregator_key == f"key of {session.salt}"
            return b"hello"
        assert inbox == b"reveal"
        return str(self._pad(session)).encode()

    async def protect(self, session, update):
        weight = update.metadata.data_volume
        padded = {
            name: array.astype("f8") * weight + self._pad(session)
            for name, array in update_file.together(update).items()
        }
        content = tensor_file.encode({**padded, "rows": np.array(float(weight))})
        assert await self.journal.once(f"toy/{session.salt}/{self.client}", content) == content
        return Protected(content, "secure_sum")

    async def close(self, session):
        await self.journal.once(f"toy/{session.salt}/{self.client}/closed", b"")

    def _pad(self, session):
        return seed_of(1, session.salt, self.client) % 1000


class ToyAggregator:
    def __init__(self, lost=None):
        self.lost = lost
        self.closed = []

    async def prepare(self, salt):
        return f"key of {salt}"

    async def close(self, salt):
        self.closed.append(salt)

    def route(self, step, session, outboxes):
        assert outboxes.keys() <= set(session.cohort)
        if step == "reveal":
            assert all(outboxes.values())  # the protected updates that came in
            if len(outboxes) == self.lost:
                raise RoundLost("", "the messages are none")
        dropped = {c: "said what it was told not to" for c, said in outboxes.items() if said == b"unfit"}
        there = [client for client in outboxes if client not in dropped]
        return Passed(dict.fromkeys(there, step.encode()), dropped)

    async def sum(self, session, protected, revealed):
        if revealed.keys() != protected.keys():
            raise RoundLost("", f"{len(revealed)} of {len(protected)} pads were revealed")
        total = {spec.name: np.zeros(spec.shape) for spec in session.schema}
        weight = 0.0
        for client in protected:
            read, _ = tensor_file.decode(protected[client])
            weight += float(read["rows"])
            for name in total:
                total[name] += read[name] - int(revealed[client])
        return Sum(total, weight, tuple(protected))


def installed(journal, silent=(), lost=None):
    return Installed(
        "secure_mpc",
        lambda _spec: Toy(),
        node=lambda client: ToyNode(client, journal, silent),
        aggregator=ToyAggregator(lost),
    )
