"""Differential privacy at the aggregator: the sum of clipped updates, noised once."""

import asyncio
import contextlib
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from pydantic_core import to_json

from activities import update_file
from activities.learning_ports import Journal
from activities.privacy.differential import NAME, clipped, settings
from activities.privacy.noise_stream import NoiseStream
from activities.privacy.port import Passed, RoundLost, Session, Sum
from domain.learning.clipping import Integers, Quantile, grid_step, is_within, to_grid
from domain.learning.discrete_gaussian import Draw
from domain.learning.dp_schedule import EVERYTHING, Part, check, parts
from domain.learning.events import PrivacyMetadata
from domain.learning.noise import noised, utility_preserved
from domain.learning.policy import PrivacySpec
from domain.refusal import Refusal

_QUANTILE = Quantile()
_COUNT_STEP = 2.0**-20


@dataclass(slots=True)
class _Gathered:
    """The sum so far, in steps of each part's grid; `within`: clients whose update was not clipped."""

    totals: dict[str, dict[str, Integers]]
    summed: "hashlib._Hash"
    within: int = 0


class CentralNoise:
    """At the aggregator: clips what came in once more, sums it on the grid, noises the sum, once."""

    def __init__(self, journal: Journal) -> None:
        self._noise = NoiseStream(journal)

    async def prepare(self, salt: str) -> str:  # noqa: ARG002 # the port's shape
        """Nothing is sealed."""
        return ""

    def route(self, step: str, session: Session, outboxes: Mapping[str, bytes]) -> Passed:  # noqa: ARG002 # the port's shape
        """There are no messages."""
        return Passed({})

    async def sum(
        self,
        session: Session,
        protected: Mapping[str, bytes],
        revealed: Mapping[str, bytes],  # noqa: ARG002 # the port's shape
    ) -> Sum:
        """The noised sum, every client with weight 1; the same updates give the same bits.

        Raises:
            Refusal: this attempt was released before, of other updates; or nothing came in.
        """
        check(session.spec)
        clients = await asyncio.to_thread(_readable, session, protected)
        if not clients:
            raise Refusal("updates", "none came in: noise alone is no model")
        plan = _with_count(parts(session.spec, session.schema), session.spec, len(clients))
        gathered = await asyncio.to_thread(_gather, session, plan, protected, clients)
        draw = await self._noise.of(f"{session.salt}/sum", gathered.summed.digest())
        return await asyncio.to_thread(_released, session, plan, gathered, clients, draw)

    async def close(self, salt: str) -> None:
        """What was released, and of what, stays in the journal: nothing else may get that noise."""


def _readable(session: Session, protected: Mapping[str, bytes]) -> tuple[str, ...]:
    """Whose file is an update; another one, which a client can send, has no part in the sum."""
    found = []
    for client in sorted(protected):
        with contextlib.suppress(Refusal):
            update_file.decode(protected[client], session.schema)
            found.append(client)
    return tuple(found)


def _gather(
    session: Session,
    plan: Mapping[str, Part],
    protected: Mapping[str, bytes],
    clients: Sequence[str],
) -> _Gathered:
    made = _Gathered({}, hashlib.sha256(settings(session)))
    for client in clients:
        content = protected[client]
        made.summed.update(to_json([client, hashlib.sha256(content).hexdigest()]))
        change = update_file.together(update_file.decode(content, session.schema))
        for name, part in plan.items():
            own = {tensor: change[tensor] for tensor in part.tensors}
            made.within += is_within(own, part.norm)
            steps = to_grid(clipped(part, change, session.spec), grid_step(part.deviation, part.norm))
            total = made.totals.setdefault(name, steps)
            if total is not steps:
                for tensor, array in steps.items():
                    total[tensor] += array
    return made


def _released(
    session: Session, plan: Mapping[str, Part], gathered: _Gathered, clients: tuple[str, ...], draw: Draw
) -> Sum:
    total: dict[str, NDArray[np.float64]] = {}
    energy = 0.0
    for name, part in plan.items():
        step = grid_step(part.deviation, part.norm)
        noisy = noised(gathered.totals[name], part.deviation, step, draw)
        energy += part.deviation**2 * sum(array.size for array in noisy.values())
        total |= noisy
    norm = None
    if session.spec.clipping == "adaptive":
        norm = _next_norm(session.spec.clip, gathered.within, len(clients), draw)
    said = PrivacyMetadata(NAME, utility_preserved=utility_preserved(total, energy), clip=norm)
    return Sum(total, float(len(clients)), clients, said)


def _next_norm(norm: float, within: int, clients: int, draw: Draw) -> float:
    # Each bit counts as 1 or -1, so that one client moves the sum by 1, as far as its update moves the other.
    signed = np.array([(2 * within - clients) * int(1 / _COUNT_STEP)], np.int64)
    noisy = noised({"": signed}, 2 * _QUANTILE.deviation(clients), _COUNT_STEP, draw)[""]
    return _QUANTILE.next_norm(norm, (float(noisy[0]) + clients) / 2, clients)


def _with_count(plan: dict[str, Part], spec: PrivacySpec, clients: int) -> dict[str, Part]:
    """The parts with somewhat more noise where clipping is adaptive, so that the count is paid for too."""
    if spec.clipping != "adaptive":
        return plan
    part = plan[EVERYTHING]
    try:
        noise = _QUANTILE.split(part.deviation / part.norm, clients)
    except Refusal as few:  # more may come in of another attempt
        raise RoundLost(few.field, few.problem) from None
    return {EVERYTHING: replace(part, deviation=noise * part.norm)}
