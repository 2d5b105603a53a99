"""The sum of masked updates, and how the masks come off it with the shares that survivors reveal."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from activities.privacy.attempt import mask_key, pair_mask, reveal_key, self_mask
from activities.privacy.port import RoundLost
from activities.privacy.primitives import KEY_BYTES, Masks, agree, commitment, unseal
from activities.privacy.terms import Terms
from activities.privacy.wire import bitmap, bitmap_bytes, members
from domain.learning.fixed_point import Words
from domain.learning.shamir import SHARE_BYTES, combine, lagrange
from domain.refusal import Refusal

_WORD = 4


@dataclass(frozen=True, slots=True)
class Trailer:
    """What follows a client's masked words: its public keys, and what it is committed to."""

    channel: bytes
    mask: bytes
    commitment: bytes

    BYTES = 3 * KEY_BYTES

    @classmethod
    def unpack(cls, raw: bytes) -> Self:
        return cls(raw[:KEY_BYTES], raw[KEY_BYTES : 2 * KEY_BYTES], raw[2 * KEY_BYTES :])


@dataclass(frozen=True, slots=True)
class Reveals:
    """What a threshold of survivors revealed: `shares[peer]` in the order of `revealers`.

    `masks`: of each peer that dropped out, the public mask key that they all know of it.
    """

    revealers: tuple[int, ...]
    shares: Mapping[int, Sequence[int]]
    masks: Mapping[int, bytes]


@dataclass(frozen=True, slots=True)
class MaskedSum:
    """The sum of the survivors' masked updates, with what each says of itself beside it.

    That is as trustworthy as the update, whose digest the client reported; a lie would leave masks on.
    """

    terms: Terms
    words: Words
    trailers: Mapping[int, Trailer]

    @staticmethod
    def size(terms: Terms) -> int:
        """Bytes of a client's masked words and what follows them."""
        return terms.size * _WORD + Trailer.BYTES

    @classmethod
    def of(cls, terms: Terms, survivors: Sequence[int], protected: Mapping[str, bytes]) -> "MaskedSum":
        """Add them up, one in memory at a time.

        Raises:
            RoundLost: one has another length.
        """
        words, trailers = np.zeros(terms.size, np.uint32), {}
        for index in survivors:
            content = protected[terms.cohort[index]]
            end = terms.size * _WORD
            if len(content) != cls.size(terms):
                raise RoundLost(
                    f"update of {terms.name(index)}", f"has {len(content)} bytes, not {cls.size(terms)}"
                )
            words += np.frombuffer(content, np.uint32, terms.size)
            trailers[index] = Trailer.unpack(bytes(content[end:]))
        return cls(terms, words, trailers)

    def unmask(self, reveals: Reveals) -> None:
        """Take off the own masks of those who survived, and what they share with those who did not.

        Raises:
            RoundLost: the shares do not give what a client committed to.
        """
        terms, masks = self.terms, Masks(self.words)
        factors = lagrange(tuple(index + 1 for index in reveals.revealers))
        for peer, shares in reveals.shares.items():
            secret = combine(factors, shares)
            if peer in self.trailers:
                if commitment(terms.digest, peer, secret) != self.trailers[peer].commitment:
                    raise _not_dealt(terms, peer)
                masks.subtract(self_mask(secret, terms.digest))
            else:
                private = mask_key(secret, terms.digest)
                if private.public_key().public_bytes_raw() != reveals.masks[peer]:
                    raise _not_dealt(terms, peer)
                self._unpair(masks, peer, private)

    def _unpair(self, masks: Masks, gone: int, private: X25519PrivateKey) -> None:
        for index, trailer in self.trailers.items():
            agreed = agree(private, trailer.mask, f"key of {self.terms.name(index)}")
            key = pair_mask(agreed, self.terms.digest, gone, index)
            (masks.subtract if index < gone else masks.add)(key)


def open_reveals(masked: MaskedSum, private: X25519PrivateKey, answers: Mapping[int, bytes]) -> Reveals:
    """Open as many reveals as the threshold asks for, which agree on who dealt; others are passed over.

    Raises:
        RoundLost: there are too few; the first that was changed, or is for other survivors, is named.
    """
    terms = masked.terms
    if len(answers) < terms.threshold:
        raise RoundLost("unmask", f"{len(answers)} clients revealed, and {terms.threshold} are needed")
    agreeing: dict[_Dealers, list[tuple[int, list[int]]]] = {}
    unfit = RoundLost("unmask", "too few reveals name the same dealers")
    for index in sorted(answers):
        try:
            dealers, shares, masks = _opened(masked, private, index, answers[index])
        except Refusal as refusal:
            unfit = RoundLost(refusal.field, refusal.problem)
            continue
        group = agreeing.setdefault((dealers, tuple(masks.items())), [])
        group.append((index, shares))
        if len(group) == terms.threshold:
            columns = zip(*(shares for _, shares in group), strict=True)
            revealers = tuple(one for one, _ in group)
            return Reveals(revealers, dict(zip(dealers, columns, strict=True)), masks)
    raise unfit


_Dealers = tuple[tuple[int, ...], tuple[tuple[int, bytes], ...]]
"""Who dealt, and the mask keys of those of them who dropped out."""
_Opened = tuple[tuple[int, ...], list[int], dict[int, bytes]]


def _opened(masked: MaskedSum, private: X25519PrivateKey, index: int, sealed: bytes) -> _Opened:
    """Who dealt to that client, the share it reveals of each, and the mask keys of those who dropped out."""
    terms, clients = masked.terms, len(masked.terms.cohort)
    agreed = agree(private, masked.trailers[index].channel, f"key of {terms.name(index)}")
    plain = unseal(reveal_key(agreed, terms.digest, index), sealed, bitmap(masked.trailers, clients))
    what = f"reveal of {terms.name(index)}"
    if not plain:
        raise RoundLost(what, "was changed, or is for other survivors than these")
    head = bitmap_bytes(clients)
    dealers = members(plain[:head], clients, what)
    gone = [peer for peer in dealers if peer not in masked.trailers]
    if len(plain) != head + len(dealers) * SHARE_BYTES + len(gone) * KEY_BYTES:
        raise RoundLost(what, "has not one share for each who dealt")
    starts = [head + SHARE_BYTES * place for place in range(len(dealers))]
    masks = {}
    for peer in gone:  # whose share has a key behind it, which all that follow stand behind
        place = dealers.index(peer)
        at = starts[place] + SHARE_BYTES
        masks[peer] = plain[at : at + KEY_BYTES]
        starts[place + 1 :] = [start + KEY_BYTES for start in starts[place + 1 :]]
    return dealers, [int.from_bytes(plain[at : at + SHARE_BYTES]) for at in starts], masks


def _not_dealt(terms: Terms, peer: int) -> RoundLost:
    return RoundLost(
        f"shares of {terms.name(peer)}", "do not give what it committed to: it, or a revealer, dealt falsely"
    )
