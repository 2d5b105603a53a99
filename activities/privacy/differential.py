"""The method `differential_privacy`: clipped on the node, noised there or at the aggregator."""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from pydantic_core import to_json

from activities import update_file
from activities.learning_ports import Journal
from activities.privacy.noise_stream import NoiseStream
from activities.privacy.port import Protected, Session
from domain.learning.clipping import clip
from domain.learning.discrete_gaussian import Draw
from domain.learning.dp_schedule import Part, check, parts
from domain.learning.noise import add_noise
from domain.learning.policy import PrivacySpec
from domain.learning.privacy_level import PrivacyLevel
from domain.learning.tensors import Tensors
from domain.learning.update import ClientUpdate
from domain.refusal import Refusal

NAME = "differential_privacy"


@dataclass(frozen=True, slots=True)
class DifferentialPrivacy:
    """`individual`: where each client adds noise of its own, strategies may see every update."""

    individual: bool
    name: str = NAME
    before: Sequence[str] = field(default=())
    after: Sequence[str] = field(default=())


def method(spec: PrivacySpec) -> DifferentialPrivacy:
    """The method as `spec` asks for it."""
    return DifferentialPrivacy(individual=spec.place == "local")


class NodeNoise:
    """On a node: clips the update, and where the place is local, noises it, once."""

    def __init__(self, journal: Journal) -> None:
        self._noise = NoiseStream(journal)

    async def exchange(self, step: str, session: Session, inbox: bytes) -> bytes:  # noqa: ARG002 # the port's shape
        """There are no messages.

        Raises:
            Refusal: always.
        """
        raise Refusal("step", f"{NAME} exchanges no messages")

    async def protect(self, session: Session, update: ClientUpdate) -> Protected:
        """The clipped update, or the clipped and noised one; the same update gives the same bytes.

        Raises:
            Refusal: another update was protected under this session before.
        """
        check(session.spec)
        given = hashlib.sha256(settings(session) + update_file.encode(update, session.schema)).digest()
        draw = await self._noise.of(f"{session.salt}/{update.node_id}", given)
        local = session.spec.place == "local"
        return await asyncio.to_thread(_protected, session, update, draw if local else None)

    async def close(self, session: Session) -> None:
        """What was released, and of what, stays in the journal: nothing else may get that noise."""


def _protected(session: Session, update: ClientUpdate, draw: Draw | None) -> Protected:
    change, spec, schema = update_file.together(update), session.spec, session.schema
    made: dict[str, NDArray[np.float64]] = {}
    for part in parts(spec, schema).values():
        own = clipped(part, change, spec)
        made |= own if draw is None else add_noise(own, part.norm, part.deviation, draw)
    sent = {one.name: made[one.name].astype(one.dtype) for one in schema}
    level: PrivacyLevel = "central_dp" if draw is None else "local_dp"
    metadata = replace(update.metadata, privacy_level=level)
    whole = ClientUpdate(update.node_id, **update_file.in_sections(schema, sent), metadata=metadata)
    return Protected(update_file.encode(whole, schema), level)


def clipped(part: Part, change: Tensors, spec: PrivacySpec) -> dict[str, NDArray[np.float64]]:
    return clip({name: change[name] for name in part.tensors}, part.norm, spec.clipping)


def settings(session: Session) -> bytes:
    """What a release depends on beside the updates."""
    return to_json([session.salt, session.spec, session.schema, session.cohort, session.eligible])
