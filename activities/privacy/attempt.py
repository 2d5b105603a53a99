"""One client's side of one attempt: its secrets, all from one seed in the journal, and what it is held to."""

import secrets  # noqa: TID251 # a key must be unguessable; it is in the journal before it is used
from dataclasses import dataclass, field
from typing import Literal, Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from activities.learning_ports import Journal
from activities.privacy.primitives import KEY_BYTES, Stream, commitment, derive
from activities.privacy.terms import Terms
from activities.privacy.wire import RoundKeys, place
from domain.learning.shamir import PRIME, SECRET_BYTES
from domain.refusal import Refusal

PAIR_BYTES = 4 * KEY_BYTES
_WIDE = 32
"""Bytes reduced modulo `PRIME`: twice what it has, so that the remainder is uniform."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """Secrets and memory of a client in an attempt. Everything follows from `seed`, so a repeat is equal."""

    terms: Terms
    me: int
    journal: Journal
    seed: bytes = field(repr=False)

    @classmethod
    async def of(cls, terms: Terms, client: str, journal: Journal) -> Self:
        """Begin it, or go on with it after a restart.

        Raises:
            Refusal: the same attempt was begun under other terms, or is over.
        """
        await refuse_closed(terms.salt, client, journal)
        prefix = prefix_of(client, terms.salt)
        if await journal.once(f"{prefix}terms", terms.digest) != terms.digest:
            raise Refusal("session", f"{terms.salt} was begun with another cohort, key, model or policy")
        seed = await journal.once(f"{prefix}seed", secrets.token_bytes(32))
        return cls(terms, terms.places[client], journal, seed)

    @property
    def prefix(self) -> str:
        return prefix_of(self.terms.cohort[self.me], self.terms.salt)

    async def hold(self, name: str, value: bytes, problem: str) -> None:
        """Be held to `value` for good.

        Raises:
            Refusal: another one stands there.
        """
        if await self.journal.once(self.prefix + name, value) != value:
            raise Refusal(name, problem)

    async def held(self, name: str, before: str) -> bytes:
        """What this client is held to.

        Raises:
            Refusal: nothing yet: `before` has to come first.
        """
        found = await self.journal.read(self.prefix + name)
        if found is None:
            raise Refusal(name, f"{self.terms.salt} has none on this client yet: {before} comes first")
        return found

    def derived(self, label: bytes, size: int = 32) -> bytes:
        return derive(self.seed, self.terms.digest, label, size)

    @property
    def channel(self) -> X25519PrivateKey:
        return X25519PrivateKey.from_private_bytes(self.derived(b"channel"))

    @property
    def mask_secret(self) -> bytes:
        """What is dealt of the key that pairwise masks come of, for the case that this client drops out."""
        return self.derived(b"pairwise", SECRET_BYTES)

    @property
    def self_secret(self) -> bytes:
        """What is dealt of the mask of its own, for the case that it does not."""
        return self.derived(b"own", SECRET_BYTES)

    def polynomial(self, label: bytes) -> list[int]:
        """The random coefficients with which one of the two secrets is dealt."""
        draw = Stream(self.derived(b"polynomial/" + label))
        drawn = draw(_WIDE * (self.terms.threshold - 1))
        return [int.from_bytes(drawn[at : at + _WIDE], "big") % PRIME for at in range(0, len(drawn), _WIDE)]

    def public_keys(self) -> tuple[bytes, bytes]:
        """Of the channel, and behind pairwise masks."""
        mask = mask_key(self.mask_secret, self.terms.digest)
        return self.channel.public_key().public_bytes_raw(), mask.public_key().public_bytes_raw()

    def round_keys(self, identity: Ed25519PrivateKey) -> RoundKeys:
        """Its public keys, signed."""
        channel, mask = self.public_keys()
        said = RoundKeys.statement(self.terms.digest, self.me, channel, mask)
        return RoundKeys(channel, mask, identity.sign(said))

    @property
    def trailer(self) -> bytes:
        """What the aggregator must know of this client to take its masks off; follows the masked words."""
        channel, mask = self.public_keys()
        return channel + mask + commitment(self.terms.digest, self.me, self.self_secret)


def mask_key(secret: bytes, digest: bytes) -> X25519PrivateKey:
    """The key behind pairwise masks, from the 128 bits that are dealt."""
    return X25519PrivateKey.from_private_bytes(derive(secret, digest, b"mask key"))


def self_mask(secret: bytes, digest: bytes) -> bytes:
    """The key of a client's own mask, from the 128 bits that are dealt."""
    return derive(secret, digest, b"self mask")


def pair_keys(agreed: bytes, digest: bytes, one: int, other: int) -> bytes:
    """Four keys: a share and a confirmation from the earlier to the later in the cohort, and back."""
    return derive(agreed, digest, b"pair/" + place(min(one, other)) + place(max(one, other)), PAIR_BYTES)


def pair_key(keys: bytes, purpose: Literal["share", "confirmation"], sender: int, reader: int) -> bytes:
    """That of `pair_keys` for what `sender` says to `reader`."""
    at = KEY_BYTES * ((sender > reader) + 2 * (purpose == "confirmation"))
    return keys[at : at + KEY_BYTES]


def pair_mask(agreed: bytes, digest: bytes, one: int, other: int) -> bytes:
    """The key of the mask that two clients share: the earlier in the cohort adds it, the later subtracts."""
    return derive(agreed, digest, b"pair mask/" + place(min(one, other)) + place(max(one, other)))


def reveal_key(agreed: bytes, digest: bytes, client: int) -> bytes:
    """The key under which a client's reveal is sealed to the aggregator."""
    return derive(agreed, digest, b"reveal/" + place(client))


def prefix_of(client: str, salt: str) -> str:
    """Where a client's journal has an attempt."""
    return f"attempt/{client}/{salt}/"


async def close(salt: str, client: str, journal: Journal) -> None:
    """Forget the secrets of an attempt; the mark that it is over comes first and stays."""
    await journal.once(f"over/{client}/{salt}", b"over")
    await journal.forget(prefix_of(client, salt))


async def refuse_closed(salt: str, client: str, journal: Journal) -> None:
    """Answer nothing in an attempt that is over: its memory of what it has revealed is gone."""
    if await journal.read(f"over/{client}/{salt}") is not None:
        raise Refusal("session", f"{salt} is over on this client, and its keys are forgotten")
