"""The aggregator of a secure sum: it hands messages round, and takes masks off the sum and nothing else."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from activities.learning_ports import Journal
from activities.privacy.aggregator_key import AggregatorKey
from activities.privacy.fitness import entries, introduced
from activities.privacy.port import Passed, RoundLost, Session, Sum
from activities.privacy.primitives import TAG_BYTES
from activities.privacy.terms import Noise, Terms
from activities.privacy.unmasking import MaskedSum, open_reveals
from activities.privacy.wire import SEALED_BYTES, bitmap, pack
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

    def route(self, step: str, session: Session, outboxes: Mapping[str, bytes]) -> Passed:
        terms = Terms.of(session, self._noise)
        if step == "survivors":
            outboxes = _whole(terms, outboxes)
        present = _places(terms, outboxes)
        match step:
            case "keys":
                return Passed(dict.fromkeys(session.cohort, b""))
            case "shares":
                # Every client checks the signatures, and a forger is rare: they would cost a quarter more.
                signed = session.attempt > 1
                known, wrong = introduced(terms, _said(terms, present, outboxes), signed=signed)
                boxes = dict.fromkeys(known, pack(known))
            case "peers":
                boxes, wrong = _delivered(terms, _said(terms, present, outboxes), SEALED_BYTES)
            case "survivors":
                boxes, wrong = dict.fromkeys(present, bitmap(present, len(terms.cohort))), {}
            case "unmask":
                boxes, wrong = _delivered(terms, _said(terms, present, outboxes), TAG_BYTES)
            case _:
                raise RoundLost("step", f"a secure sum has no step {step[:20]!a}")
        _check_left(terms, step, len(boxes), wrong)
        name = terms.cohort.__getitem__
        return Passed({name(i): box for i, box in boxes.items()}, {name(i): why for i, why in wrong.items()})

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
            if not terms.fixed.can_be(values, weight, len(survivors)):
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


def _said(terms: Terms, present: Sequence[int], outboxes: Mapping[str, bytes]) -> dict[int, bytes]:
    return {index: outboxes[terms.cohort[index]] for index in present}


def _check_left(terms: Terms, step: str, left: int, wrong: Mapping[int, str]) -> None:
    if left < terms.threshold:
        why = "".join(f"; {terms.name(index)}: {problem}" for index, problem in list(wrong.items())[:1])
        clients = len(terms.cohort)
        raise RoundLost(step, f"{left} of {clients} clients are left, and {terms.threshold} are needed{why}")


def _delivered(terms: Terms, said: Mapping[int, bytes], size: int) -> tuple[dict[int, bytes], dict[int, str]]:
    """To each client what the others have for it; and whose message is none."""
    found, wrong = entries(terms, said, size)
    if not found:
        return {}, wrong
    parts = list(found.values())
    whole = np.concatenate(parts).astype(parts[0].dtype)  # joining makes the places little-endian
    readers = whole["client"].astype(np.intp)
    whole["client"] = np.repeat(list(found), [len(part) for part in parts])
    order = np.argsort(readers, kind="stable")
    ends = np.searchsorted(readers[order], np.arange(len(terms.cohort) + 1))
    return {reader: whole[order[ends[reader] : ends[reader + 1]]].tobytes() for reader in found}, wrong
