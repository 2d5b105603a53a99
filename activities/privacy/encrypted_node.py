"""A client in an encrypted sum, and the one among them that holds the key."""

import asyncio
import hashlib

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from activities.learning_ports import Journal
from activities.privacy import ckks
from activities.privacy.attempt import Attempt, close, refuse_closed, reveal_key
from activities.privacy.holding import BEYOND, Holder, holder_of, released, statement
from activities.privacy.identity import Pins
from activities.privacy.port import Protected, Session
from activities.privacy.primitives import agree, seal, signed_by
from activities.privacy.terms import Terms
from activities.privacy.wire import SIGNATURE_BYTES, bitmap_bytes, members
from domain.learning.fixed_point import Numbers, flatten, within_range
from domain.learning.tensors import SECTIONS, check_tensors
from domain.learning.update import ClientUpdate
from domain.refusal import Refusal

BEFORE = ("key", "public")
AFTER = ("decrypt",)


class EncryptedNode:
    """`NodeHalf` of `homomorphic_encryption`.

    The holder's key is made for one attempt and stays in its journal. It decrypts one ciphertext an attempt,
    and only what carries the count of as many updates as it is said to be the sum of. It cannot tell whether
    that count is true: whoever has the public key can encrypt any number.
    """

    def __init__(self, client: str, identity: Ed25519PrivateKey, journal: Journal, pins: Pins) -> None:
        self._client = client
        self._identity = identity
        self._journal = journal
        self._pins = pins

    async def exchange(self, step: str, session: Session, inbox: bytes) -> bytes:
        attempt, holder = await self._attempt(session)
        match step:
            case "key":
                answer = await self._made(attempt) if attempt.me == holder.place else b""
            case "public":
                await _keep(attempt, holder, inbox)
                answer = b""
            case "decrypt":
                answer = await self._decrypted(attempt, holder, inbox)
            case _:
                raise Refusal("step", f"an encrypted sum has {', '.join(BEFORE + AFTER)}, not {step[:20]!a}")
        await refuse_closed(session.salt, self._client, self._journal)
        return answer

    async def protect(self, session: Session, update: ClientUpdate) -> Protected:
        attempt, _ = await self._attempt(session)
        values = self._values(attempt.terms, session, update)
        await attempt.hold(
            "update",
            hashlib.sha256(values.data).digest(),
            "is another than the one that was encrypted",
        )
        context = await attempt.held("context", "public")
        # Encrypting is never the same twice; what is kept is.
        made = await asyncio.to_thread(ckks.encrypt, context, values)
        content = await self._journal.once(f"{attempt.prefix}encrypted", made)
        await refuse_closed(session.salt, self._client, self._journal)
        return Protected(content, "encrypted_sum")

    async def close(self, session: Session) -> None:
        await close(session.salt, self._client, self._journal)

    async def _attempt(self, session: Session) -> tuple[Attempt, Holder]:
        terms = await self._pins.terms(session)
        holder = holder_of(terms, session)
        if self._client not in terms.places:
            raise Refusal("cohort", "this client is not in it")
        return await Attempt.of(terms, self._client, self._journal), holder

    def _values(self, terms: Terms, session: Session, update: ClientUpdate) -> Numbers:
        """Between -1 and 1: the update over the clip times the weight over the cap, that weight, and 1."""
        if update.node_id != self._client:
            raise Refusal("update", "is of another client")
        tensors = {name: array for section in SECTIONS for name, array in getattr(update, section).items()}
        check_tensors(session.schema, tensors, "update")
        weight = min(update.metadata.data_volume, terms.fixed.cap) / terms.fixed.cap
        if not weight > 0:
            raise Refusal("weight", "an update without rows weighs nothing")
        scaled = within_range(flatten(session.schema, tensors), session.spec.clip) * (
            weight / session.spec.clip
        )
        return np.concatenate([scaled, [weight, 1.0]])

    async def _made(self, attempt: Attempt) -> bytes:
        key = await self._journal.once(f"{attempt.prefix}ckks", await asyncio.to_thread(ckks.make_key))
        context = await asyncio.to_thread(ckks.public_half, key)
        return self._identity.sign(statement(attempt.terms, context)) + context

    async def _decrypted(self, attempt: Attempt, holder: Holder, inbox: bytes) -> bytes:
        terms = attempt.terms
        if attempt.me != holder.place:
            raise Refusal("decrypt", f"{holder.name} holds the key, and not this client")
        head = bitmap_bytes(len(terms.cohort))
        survivors = members(inbox[:head], len(terms.cohort), "survivors")
        if len(survivors) < terms.threshold:
            raise Refusal("survivors", f"{len(survivors)} are below the threshold of {terms.threshold}")
        key = await attempt.held("ckks", "key")
        await attempt.hold("asked", hashlib.sha256(inbox).digest(), "is another sum than the one decrypted")
        size = terms.size - 1 + BEYOND
        values = await asyncio.to_thread(ckks.decrypt, key, inbox[head:], size)
        plain = released(attempt, values, len(survivors))
        channel = attempt.channel
        agreed = agree(channel, terms.aggregator, "aggregator_key")
        public = channel.public_key().public_bytes_raw()
        sealed = seal(reveal_key(agreed, terms.digest, attempt.me), plain, inbox[:head])
        return self._identity.sign(statement(terms, public + sealed)) + public + sealed


async def _keep(attempt: Attempt, holder: Holder, inbox: bytes) -> None:
    """Take the holder's public key, signed by its identity; no other in this attempt."""
    signature, context = inbox[:SIGNATURE_BYTES], inbox[SIGNATURE_BYTES:]
    identity = attempt.terms.identities[holder.place]
    if not signed_by(identity, signature, statement(attempt.terms, context)):
        raise Refusal(f"key of {holder.name}", "is not signed, for this attempt, by its identity")
    if not await asyncio.to_thread(ckks.is_public, context):
        raise Refusal(f"key of {holder.name}", "has other parameters than these sums, or is a secret key")
    await attempt.hold("context", context, "is another public key than before")
