"""The messages of a secure sum as bytes: clients by their place in the sorted cohort, nothing optional."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from activities.privacy.port import RoundLost
from activities.privacy.primitives import KEY_BYTES, TAG_BYTES
from domain.learning.shamir import SHARE_BYTES

INDEX_BYTES = 2
SIGNATURE_BYTES = 64
DEALT_BYTES = 2 * SHARE_BYTES
"""A share of a client's mask key and one of its self mask, in the clear."""
SEALED_BYTES = DEALT_BYTES + TAG_BYTES


@dataclass(frozen=True, slots=True)
class RoundKeys:
    """What a client says of itself in an attempt: two X25519 keys, signed (Ed25519) by its identity.

    `channel`: shares and confirmations for this client are sealed to it. `mask`: pairwise masks come of it.
    """

    channel: bytes
    mask: bytes
    signature: bytes

    BYTES = 2 * KEY_BYTES + SIGNATURE_BYTES

    def pack(self) -> bytes:
        """As they travel."""
        return self.channel + self.mask + self.signature

    @classmethod
    def unpack(cls, raw: bytes) -> Self:
        """From `BYTES` bytes."""
        return cls(raw[:KEY_BYTES], raw[KEY_BYTES : 2 * KEY_BYTES], raw[2 * KEY_BYTES :])

    @staticmethod
    def statement(digest: bytes, index: int, channel: bytes, mask: bytes) -> bytes:
        """What is signed: these keys, of that client, under those terms."""
        return b"folkmoot/secure-sum/keys\0" + digest + place(index) + channel + mask


def place(index: int) -> bytes:
    """A client's place in the cohort."""
    return index.to_bytes(INDEX_BYTES, "big")


def pack(entries: Mapping[int, bytes]) -> bytes:
    """One entry a client, in the order of their places."""
    return b"".join(place(index) + entries[index] for index in sorted(entries))


def unpack(raw: bytes, size: int, clients: int, what: str) -> dict[int, bytes]:
    """The entries of `size` bytes each.

    Raises:
        RoundLost: it is not made of such entries, each client once, in their order.
    """
    entries = ordered(raw, size, clients, what)
    return dict(zip(entries["client"].tolist(), entries["entry"].tolist(), strict=True))


def ordered(raw: bytes, size: int, clients: int, what: str) -> NDArray[np.void]:
    """The same as an array of `client` and `entry`, for many messages at once.

    Raises:
        RoundLost: as `unpack`.
    """
    kind = np.dtype([("client", ">u2"), ("entry", f"V{size}")])
    if len(raw) % kind.itemsize:
        raise RoundLost(
            what, f"{len(raw)} bytes are not entries of {kind.itemsize}; the message was cut or changed"
        )
    entries = np.frombuffer(raw, kind)
    places = entries["client"].astype(np.int64)
    if places.size and (places[-1] >= clients or (np.diff(places) <= 0).any()):
        raise RoundLost(what, f"names clients out of order, or beyond the {clients}; the message was changed")
    return entries


def bitmap(places: Iterable[int], clients: int) -> bytes:
    """Which clients, a bit each."""
    return sum(1 << index for index in set(places)).to_bytes(bitmap_bytes(clients), "big")


def bitmap_bytes(clients: int) -> int:
    """How long the bitmap of a cohort is."""
    return (clients + 7) // 8


def members(raw: bytes, clients: int, what: str) -> tuple[int, ...]:
    """The places of a bitmap.

    Raises:
        RoundLost: it is not one of that cohort.
    """
    bits = int.from_bytes(raw, "big")
    if len(raw) != bitmap_bytes(clients) or bits >> clients:
        raise RoundLost(what, f"is no set of clients out of {clients}; the message was changed")
    return tuple(index for index in range(clients) if bits >> index & 1)
