"""The aggregator of a secure sum: it hands messages round, and takes masks off the sum and nothing else."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from activities.learning_ports import Journal
from activities.privacy.aggregator_key import AggregatorKey
from activities.privacy.port import RoundLost, Session, Sum
from activities.privacy.primitives import TAG_BYTES
from activities.privacy.terms import Noise, Terms
from activities.privacy.unmasking import MaskedSum, open_reveals
from activities.privacy.wire import SEALED_BYTES, RoundKeys, bitmap, ordered, pack
from domain.learning.fixed_point import unflatten
from domain.refusal import Refusal
from domain.strict_json import printable


@dataclass(frozen=True, slots=True)
class _Among(Mapping[str, bytes]):
    """Some of the files, read when they are asked for."""

    files: Mapping[str, bytes]
    clients: Sequence[str]

    def __getitem__(self, client: str) -> bytes:
        if client not in self.clients:
            raise KeyError(client)
        return self.files[client]

    def __iter__(self) -> Iterator[str]:
        return iter(self.clients)

    def __len__(self) -> int:
        return len(self.clients)


class SecureAggregator:
    """`AggregatorHalf` of `secure_mpc`, and, with `noise`, of `hybrid`.

    It keeps one secret, the key that reveals are sealed to, in its journal; everything else it is told again
    at each step, so that any process with the same journal can go on.
    """

    def __init__(self, journal: Journal, noise: Noise | None = None) -> None:
        self._key = AggregatorKey(journal)
        self._noise = noise

    async def prepare(self, salt: str) -> str:
        return await self._key.public(salt)

    def route(self, step: str, session: Session, outboxes: Mapping[str, bytes]) -> Mapping[str, bytes]:
        terms = Terms.of(session, self._noise)
        if step == "survivors":
            outboxes = _whole(terms, outboxes)
        present = _places(terms, outboxes)
        if step == "keys":
            return dict.fromkeys(session.cohort, b"")
        if len(present) < terms.threshold:
            raise RoundLost(
                step,
                f"{len(present)} of {len(terms.cohort)} clients are left, and {terms.threshold} are needed",
            )
        match step:
            case "shares":
                directory = pack({i: _sized(terms, i, outboxes, RoundKeys.BYTES) for i in present})
                return dict.fromkeys(outboxes, directory)
            case "peers":
                return _delivered(terms, present, outboxes, SEALED_BYTES)
            case "survivors":
                return dict.fromkeys(outboxes, bitmap(present, len(terms.cohort)))
            case "unmask":
                return _delivered(terms, present, outboxes, TAG_BYTES)
            case _:
                raise RoundLost("step", f"a secure sum has no step {step[:20]!a}")

    async def sum(
        self, session: Session, protected: Mapping[str, bytes], revealed: Mapping[str, bytes]
    ) -> Sum:
        terms = Terms.of(session, self._noise)
        private = await self._key.private(session.salt)
        protected = await asyncio.to_thread(_whole, terms, protected)
        survivors = _places(terms, protected)
        answers = {terms.places[client]: raw for client, raw in revealed.items() if client in protected}

        def work() -> Sum:
            masked = MaskedSum.of(terms, survivors, protected)
            try:
                masked.unmask(open_reveals(masked, private, answers))
            except Refusal as refusal:
                raise RoundLost(refusal.field, refusal.problem) from None
            values, weight = terms.fixed.decode(masked.words)
            if not len(survivors) <= weight <= len(survivors) * terms.fixed.cap:
                raise RoundLost("sum", "the masks did not cancel: a client masked otherwise than agreed")
            clients = tuple(terms.cohort[index] for index in survivors)
            return Sum(unflatten(session.schema, values), float(weight), clients)

        return await asyncio.to_thread(work)

    async def close(self, salt: str) -> None:
        await self._key.forget(salt)


def _places(terms: Terms, messages: Mapping[str, bytes]) -> list[int]:
    if strangers := messages.keys() - terms.places.keys():
        raise RoundLost("cohort", f"{printable(min(strangers), 60)} is not in it")
    return sorted(terms.places[client] for client in messages)


def _whole(terms: Terms, protected: Mapping[str, bytes]) -> Mapping[str, bytes]:
    """Without what cannot be masked words for its length: whoever sent that dropped out, and stops nobody.

    Other words than were agreed on are found in the sum alone, which then is of no use.
    """
    size = MaskedSum.size(terms)
    return _Among(protected, [client for client in protected if len(protected[client]) == size])


def _sized(terms: Terms, index: int, outboxes: Mapping[str, bytes], size: int) -> bytes:
    found = outboxes[terms.cohort[index]]
    if len(found) != size:
        raise RoundLost(f"message of {terms.name(index)}", f"has {len(found)} bytes, not {size}")
    return found


def _delivered(
    terms: Terms, present: list[int], outboxes: Mapping[str, bytes], size: int
) -> Mapping[str, bytes]:
    """To each client what the others have for it."""
    entries = [
        ordered(outboxes[terms.cohort[sender]], size, len(terms.cohort), f"message of {terms.name(sender)}")
        for sender in present
    ]
    whole = np.concatenate(entries).astype(entries[0].dtype)  # joining makes the places little-endian
    readers = whole["client"].astype(np.intp)
    whole["client"] = np.repeat(present, [len(part) for part in entries])
    order = np.argsort(readers, kind="stable")
    ends = np.searchsorted(readers[order], np.arange(len(terms.cohort) + 1))
    return {
        terms.cohort[reader]: whole[order[ends[reader] : ends[reader + 1]]].tobytes() for reader in present
    }
