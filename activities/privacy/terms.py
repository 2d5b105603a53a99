"""What everybody in an attempt must agree on, in one digest, and what follows from it."""

import base64
import binascii
import hashlib
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from activities.privacy.port import Session
from activities.privacy.primitives import KEY_BYTES
from domain.learning.fixed_point import FixedPoint
from domain.learning.shards import needed
from domain.refusal import Refusal
from domain.strict_json import printable

FEWEST = 3
"""Clients in a secure sum: of the sum of two, each knows the other's update."""


class Sample(Protocol):
    """`domain.learning.discrete_gaussian.sample`."""

    def __call__(
        self, scale: Fraction | float, size: int, draw: Callable[[int], bytes], /
    ) -> NDArray[np.int64]:
        """Discrete Gaussian numbers of standard deviation `scale`, from the bytes that `draw` gives."""
        ...


@dataclass(frozen=True, slots=True)
class Noise:
    """Of a sum with differential privacy: how much (standard deviation over the clip), how drawn."""

    multiplier: Callable[[Session], float]
    sample: Sample


@dataclass(frozen=True, slots=True)
class Terms:
    """An attempt as one client, and the aggregator, must see it alike.

    `threshold`: survivors without whom nothing is revealed. `size`: words of a masked update. `share`:
    standard deviation, in steps, of the noise that each client adds; 0 without.
    """

    salt: str
    digest: bytes
    cohort: tuple[str, ...]
    places: Mapping[str, int]
    identities: tuple[bytes, ...]
    aggregator: bytes
    threshold: int
    size: int
    fixed: FixedPoint
    share: float

    @classmethod
    def of(cls, session: Session, noise: Noise | None = None) -> "Terms":
        """The terms of a session.

        Raises:
            Refusal: it is one that no client should take part in.
        """
        count = len(session.cohort)
        if count < FEWEST:
            raise Refusal("cohort", f"{count} clients cannot hide in their sum; at least {FEWEST} are needed")
        if list(session.cohort) != sorted(set(session.cohort)):
            raise Refusal("cohort", "is not sorted, or names a client twice")
        multiplier = noise.multiplier(session) if noise else 0.0
        threshold = needed(session.spec.threshold, count)
        # Each adds so much that as few as the threshold add up to the noise that was asked for.
        fixed = FixedPoint(
            session.spec.clip,
            1 if noise else session.weight_cap,
            count,
            multiplier * math.sqrt(count / threshold),
        )
        return cls(
            salt=session.salt,
            digest=_digest(session, multiplier),
            cohort=session.cohort,
            places={client: index for index, client in enumerate(session.cohort)},
            identities=tuple(_identity(session, client) for client in session.cohort),
            aggregator=key_of(session.aggregator_key, "aggregator_key"),
            threshold=threshold,
            size=sum(spec.size for spec in session.schema) + 1,
            fixed=fixed,
            share=multiplier * fixed.steps / math.sqrt(threshold),
        )

    def name(self, index: int) -> str:
        """A client by its place, as it may be shown."""
        return printable(self.cohort[index], 60)


def key_of(text: str, what: str) -> bytes:
    """The 32 bytes of a public key in base64.

    Raises:
        Refusal: it is none.
    """
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != KEY_BYTES:
        raise Refusal(what, "is not the base64 of a public key of 32 bytes")
    return raw


def _identity(session: Session, client: str) -> bytes:
    if client not in session.identities:
        raise Refusal("identities", f"{printable(client, 60)} has none: it cannot take part in a secure sum")
    return key_of(session.identities[client], f"identity of {printable(client, 60)}")


def _digest(session: Session, multiplier: float) -> bytes:
    said: dict[str, Any] = {
        "session": [session.salt, session.rounds, session.eligible, session.weight_cap, multiplier],
        "cohort": [[client, session.identities.get(client)] for client in session.cohort],
        "aggregator": session.aggregator_key,
        "privacy": asdict(session.spec),
        "schema": [[spec.name, spec.section, spec.shape, spec.dtype] for spec in session.schema],
    }
    return hashlib.sha256(json.dumps(said, sort_keys=True, separators=(",", ":")).encode()).digest()
