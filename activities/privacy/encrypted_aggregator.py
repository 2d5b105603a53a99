"""The aggregator of an encrypted sum: it adds what it cannot read, and is told the sum by the holder."""

from collections.abc import Mapping, Sequence

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from activities.learning_ports import Journal
from activities.privacy import ckks
from activities.privacy.aggregator_key import AggregatorKey
from activities.privacy.attempt import reveal_key
from activities.privacy.holding import BEYOND, Holder, believed, holder_of, said_by
from activities.privacy.port import Passed, RoundLost, Session, Sum
from activities.privacy.primitives import KEY_BYTES, agree, unseal
from activities.privacy.terms import Terms
from activities.privacy.wire import bitmap
from domain.learning.fixed_point import unflatten
from domain.refusal import Refusal


class EncryptedAggregator:
    """`AggregatorHalf` of `homomorphic_encryption`."""

    def __init__(self, journal: Journal) -> None:
        self._key = AggregatorKey(journal)

    async def prepare(self, salt: str) -> str:
        return await self._key.public(salt)

    def route(self, step: str, session: Session, outboxes: Mapping[str, bytes]) -> Passed:
        terms = Terms.of(session)
        holder = holder_of(terms, session)
        name = terms.cohort[holder.place]
        if step == "key":
            return Passed(dict.fromkeys(session.cohort, b""))
        if step == "public":
            return Passed(dict.fromkeys(outboxes, _there(outboxes, name)))
        if step != "decrypt":
            raise RoundLost("step", f"an encrypted sum has no step {step[:20]!a}")
        if len(outboxes) < terms.threshold:
            raise RoundLost(
                step,
                f"{len(outboxes)} clients are left, and {terms.threshold} are needed",
            )
        places = [terms.places[client] for client in outboxes]
        return Passed({name: bitmap(places, len(terms.cohort)) + _added(terms, outboxes)})

    async def sum(
        self, session: Session, protected: Mapping[str, bytes], revealed: Mapping[str, bytes]
    ) -> Sum:
        terms = Terms.of(session)
        holder = holder_of(terms, session)
        answer = said_by(terms, holder, _there(revealed, terms.cohort[holder.place]))
        if answer is None:
            raise RoundLost(f"sum of {holder.name}", "is not signed, for this attempt, by its identity")
        private = await self._key.private(session.salt)
        survivors = sorted(terms.places[client] for client in protected)
        plain = _opened(terms, holder, private, answer, survivors)
        values, weight = believed(terms, plain, len(survivors), holder.name)
        values *= session.spec.clip * terms.fixed.cap
        clients = tuple(terms.cohort[index] for index in survivors)
        return Sum(unflatten(session.schema, values), float(weight), clients)

    async def close(self, salt: str) -> None:
        await self._key.forget(salt)


def _opened(
    terms: Terms, holder: Holder, private: X25519PrivateKey, answer: bytes, survivors: Sequence[int]
) -> bytes:
    try:
        agreed = agree(private, answer[:KEY_BYTES], f"key of {holder.name}")
    except Refusal as refusal:
        raise RoundLost(refusal.field, refusal.problem) from None
    bound = bitmap(survivors, len(terms.cohort))
    plain = unseal(reveal_key(agreed, terms.digest, holder.place), answer[KEY_BYTES:], bound)
    if plain is None:
        raise RoundLost(f"sum of {holder.name}", "is for other survivors than these")
    return plain


def _there(messages: Mapping[str, bytes], name: str) -> bytes:
    if not messages.get(name):
        raise RoundLost("key_holder", f"{name} did not answer, and nobody else has the key")
    return messages[name]


def _added(terms: Terms, updates: Mapping[str, bytes]) -> bytes:
    """The encrypted sum, each read once, in the order of the clients."""
    named = ((terms.name(terms.places[client]), updates[client]) for client in sorted(updates))
    return ckks.add(named, terms.size - 1 + BEYOND)
