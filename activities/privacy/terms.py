"""What everybody in an attempt must agree on, in one digest, and what follows from it."""

import base64
import binascii
import hashlib
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from activities.privacy.port import Session
from activities.privacy.primitives import KEY_BYTES
from domain.learning.fixed_point import FixedPoint
from domain.learning.policy import Clipping, PrivacySpec
from domain.learning.shards import needed
from domain.learning.tensors import Schema, Tensors
from domain.refusal import Refusal
from domain.strict_json import printable

FEWEST = 3
"""Clients, and survivors, in a secure sum: of the sum of two, each knows the other's update."""


class Sample(Protocol):
    """`domain.learning.discrete_gaussian.sample`."""

    def __call__(self, scale: float, size: int, draw: Callable[[int], bytes], /) -> NDArray[np.int64]:
        """Discrete Gaussian numbers of standard deviation `scale`, from the bytes that `draw` gives."""
        ...


class NoisyPart(Protocol):
    """`domain.learning.dp_schedule.Part`: tensors with one norm, and one deviation of the sum's noise."""

    @property
    def tensors(self) -> tuple[str, ...]: ...
    @property
    def norm(self) -> float: ...
    @property
    def deviation(self) -> float: ...


@dataclass(frozen=True, slots=True)
class Noise:
    """What a sum with differential privacy is made by; `domain.learning` has all three.

    `parts`: what is clipped and noised together (`dp_schedule.parts`). `clip`: tensors, norm and rule to
    clipped ones (`clipping.clip`). `sample`: `discrete_gaussian.sample`.
    """

    parts: Callable[[PrivacySpec, Schema], Mapping[str, NoisyPart]]
    clip: Callable[[Tensors, float, Clipping], Tensors]
    sample: Sample


@dataclass(frozen=True, slots=True)
class Terms:
    """An attempt as one client, and the aggregator, must see it alike.

    `threshold`: survivors without whom nothing is revealed. `size`: words of a masked update. `parts`:
    what is noised together; empty without noise.
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
    parts: tuple[NoisyPart, ...]

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
        parts = _parts(session, noise)
        threshold = max(FEWEST, needed(session.spec.threshold, count))
        clip = session.spec.clip
        loudest = max((part.deviation for part in parts), default=0.0) * math.sqrt(count / threshold)
        fixed = FixedPoint(clip, 1 if noise else session.weight_cap, count, loudest / clip)
        return cls(
            salt=session.salt,
            digest=_digest(session, parts),
            cohort=session.cohort,
            places={client: index for index, client in enumerate(session.cohort)},
            identities=_identities(session),
            aggregator=key_of(session.aggregator_key, "aggregator_key"),
            threshold=threshold,
            size=sum(spec.size for spec in session.schema) + 1,
            fixed=fixed,
            parts=parts,
        )

    def share(self, part: NoisyPart) -> float:
        """Deviation, in steps, of the noise each client adds: as few as the threshold make up the whole."""
        return part.deviation / self.fixed.step / math.sqrt(self.threshold)

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


def _identities(session: Session) -> tuple[bytes, ...]:
    if missing := set(session.cohort) - session.identities.keys():
        name = printable(min(missing), 60)
        raise Refusal("identities", f"{name} has none: it cannot take part in a secure sum")
    return tuple(key_of(session.identities[client], "identities") for client in session.cohort)


def _parts(session: Session, noise: Noise | None) -> tuple[NoisyPart, ...]:
    if noise is None:
        return ()
    if session.spec.clipping == "adaptive":
        raise Refusal(
            "clipping", "adaptive asks for each client's norm, which a secure sum hides; choose flat"
        )
    parts = tuple(noise.parts(session.spec, session.schema).values())
    if any(part.norm > session.spec.clip for part in parts):
        raise Refusal("clip", "is below the norm of a part")
    return parts


def _digest(session: Session, parts: Sequence[NoisyPart]) -> bytes:
    said: dict[str, Any] = {
        "session": [session.salt, session.rounds, session.eligible, session.weight_cap],
        "cohort": [[client, session.identities.get(client)] for client in session.cohort],
        "noise": [[part.tensors, part.norm, part.deviation] for part in parts],
        "aggregator": session.aggregator_key,
        "privacy": asdict(session.spec),
        "schema": [[spec.name, spec.section, spec.shape, spec.dtype] for spec in session.schema],
    }
    return hashlib.sha256(json.dumps(said, sort_keys=True, separators=(",", ":")).encode()).digest()
