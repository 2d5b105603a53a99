"""Draws a cohort from the roster as it is, and says to its members who is in it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import msgspec

from activities import messages
from activities.learning_ports import LargeArtifacts, Roster
from activities.learning_tasks import DrawnRound, DrawRound
from activities.privacy.port import Session
from activities.privacy.registry import Methods
from domain.learning.decide import Drawn
from domain.learning.events import CycleOpened, Member
from domain.learning.fleet import Candidate
from domain.learning.selection import cohort_size, draw, eligible, is_poisson, subject_of
from domain.learning.strategies.registry import named
from domain.learning.wire import sent_schema
from domain.refusal import Refusal

MAX_NAMES = 160 * 1024
"""Bytes of a cohort's names, which travel in one payload and stand in one event."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """By the injected roster."""

    artifacts: LargeArtifacts
    roster: Roster
    methods: Methods

    async def drawn(self, task: DrawRound) -> DrawnRound:
        """The cohort of an attempt, and the file that its members are given.

        Raises:
            Refusal: the policy contradicts the fleet as it is now, or a budget forbids another round.
        """
        opening, request = task.opening, task.opening.request
        candidates = await self.roster.candidates()
        able = eligible(candidates, request, opening.since, opening.until)
        cohort = draw(
            able, request.cohort, request.seed, task.round, task.attempt, poisson=is_poisson(request.privacy)
        )
        _check_names(cohort)
        asked = {member.client for member in cohort}
        session = self._session(task, [one for one in able if one.client.id in asked], len(able))
        if not self.methods.method(session.spec).individual:
            key = await self.methods.aggregator(session.spec).prepare(session.salt)
            session = replace(session, aggregator_key=key)
        accountant = self.methods.of(session.spec).accountant
        if accountant is not None:
            await accountant.admit(session)
        roster = await self.artifacts.put(msgspec.json.encode(candidates))
        kept = await messages.keep_session(self.artifacts, session)
        return DrawnRound(Drawn(roster, len(able), cohort), kept)

    async def calibrated(self, opening: CycleOpened) -> CycleOpened:
        """The opening with the privacy settings that its schedule comes to, for the fleet as it is now.

        Raises:
            Refusal: the policy contradicts the fleet, or no noise is enough.
        """
        request = opening.request
        calibrate = self.methods.of(request.privacy).calibrate
        if calibrate is None:
            return opening
        candidates = await self.roster.candidates()
        able = len(eligible(candidates, request, opening.since, opening.until))
        size = cohort_size(able, request.cohort)
        spec = calibrate(request.privacy, request.rounds, size, able)
        return replace(opening, request=replace(request, privacy=spec))

    def _session(self, task: DrawRound, asked: list[Candidate], able: int) -> Session:
        request = task.opening.request
        spec = request.privacy if task.clip is None else replace(request.privacy, clip=task.clip)
        clients = [one.client for one in asked]
        return Session(
            cycle=request.id,
            round=task.round,
            attempt=task.attempt,
            rounds=request.rounds,
            cohort=tuple(sorted(client.id for client in clients)),
            eligible=able,
            identities={client.id: client.identity for client in clients if client.identity is not None},
            spec=spec,
            schema=sent_schema(task.opening.schema, named(request.strategy.name).client),
            subjects={client.id: subject_of(client) for client in clients},
        )


def _check_names(cohort: Sequence[Member]) -> None:
    size = len(msgspec.json.encode(cohort))
    if size > MAX_NAMES:
        most = len(cohort) * MAX_NAMES // size
        raise Refusal(
            "cohort.size",
            f"the names of {len(cohort):,} clients and their hosts take {size:,} bytes, at most "
            f"{MAX_NAMES:,}: ask about {most:,} clients, or give them shorter names",
        )
