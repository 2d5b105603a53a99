"""Draws a cohort from the roster as it is, and says to its members who is in it."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import msgspec

from activities import messages
from activities.learning_ports import LargeArtifacts, Roster
from activities.learning_tasks import DrawnRound, DrawRound
from activities.privacy.port import Session
from activities.privacy.registry import Methods
from domain.learning.attempt import Drawn
from domain.learning.events import CycleOpened, Member
from domain.learning.fleet import Candidate, Client
from domain.learning.ineligible import obstacles
from domain.learning.selection import draw, eligible, is_poisson, odds, subject_of
from domain.learning.shards import MOST, shards
from domain.learning.strategies.registry import named
from domain.learning.wire import sent_schema
from domain.refusal import Refusal

MOST_ROWS = 65_536
MAX_NAMES = 160 * 1024
"""Bytes of a cohort's names, which travel in one payload and stand in one event."""


@contextmanager
def _explained(candidates: Sequence[Candidate], opening: CycleOpened) -> Iterator[None]:
    """Add to a refusal of the cohort what keeps the others of the fleet out of it."""
    try:
        yield
    except Refusal as refusal:
        why = obstacles(candidates, opening.request, opening.since, opening.until)
        if refusal.field != "cohort" or not why:
            raise
        raise Refusal("cohort", f"{refusal.problem}; {why}") from None


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
        with _explained(candidates, opening):
            cohort = draw(
                able,
                request.cohort,
                request.seed,
                task.round,
                task.attempt,
                poisson=is_poisson(request.privacy),
                always=request.privacy.key_holder,
            )
        _check_names(cohort)
        asked = {member.client for member in cohort}
        members = [one.client for one in able if one.client.id in asked]
        session = self._session(task, members, odds(able, request.cohort))
        accountant = self.methods.of(session.spec).accountant
        if accountant is not None:
            await accountant.admit(session, sorted({subject_of(one.client) for one in able}))
        first, *more = [
            await messages.keep_session(self.artifacts, await self._prepared(part))
            for part in self._parts(session, request.seed)
        ]
        roster = await self.artifacts.put(msgspec.json.encode(candidates))
        return DrawnRound(Drawn(roster, len(able), cohort), first, tuple(more))

    def _parts(self, session: Session, seed: int) -> Iterator[Session]:
        """The session itself; where updates hide in a sum, and many are asked, one for each shard."""
        method = self.methods.method(session.spec)
        if not (method.before or method.after) or len(session.cohort) <= MOST:
            yield session
            return
        if session.spec.key_holder is not None:
            raise Refusal(
                "cohort.size",
                f"{len(session.cohort)} clients make several sums, and the key's holder can be in one of "
                f"them; ask at most {MOST}, or take secure_mpc",
            )
        for number, cohort in enumerate(shards(session.cohort, seed)):
            own = set(cohort)
            yield replace(
                session,
                cohort=cohort,
                shard=number,
                identities={name: key for name, key in session.identities.items() if name in own},
                subjects={name: subject for name, subject in session.subjects.items() if name in own},
            )

    async def _prepared(self, session: Session) -> Session:
        half = self.methods.of(session.spec).aggregator
        if half is None:
            return session
        return replace(session, aggregator_key=await half.prepare(session.salt))

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
        able = eligible(candidates, request, opening.since, opening.until)
        with _explained(candidates, opening):
            size, subjects = odds(able, request.cohort)
        # Seconds of computing, where cohorts are sampled.
        spec = await asyncio.to_thread(calibrate, request.privacy, request.rounds, size, subjects)
        return replace(opening, request=replace(request, privacy=spec))

    def _session(self, task: DrawRound, clients: Sequence[Client], drawn: tuple[int, int]) -> Session:
        """For everybody who is asked; `drawn`: how many were to be, of how many subjects."""
        request = task.opening.request
        spec = request.privacy if task.clip is None else replace(request.privacy, clip=task.clip)
        rows = [offer.rows for one in clients for offer in one.data if offer.name == request.data.name]
        return Session(
            cycle=request.id,
            round=task.round,
            attempt=task.attempt,
            rounds=request.rounds,
            cohort=tuple(sorted(client.id for client in clients)),
            eligible=drawn[1],
            size=drawn[0] if is_poisson(spec) else 0,
            identities={client.id: client.identity for client in clients if client.identity is not None},
            spec=spec,
            schema=sent_schema(task.opening.schema, named(request.strategy.name).client),
            subjects={client.id: subject_of(client) for client in clients},
            # Nobody weighs more than the rows that were announced; the bound is one against boasting.
            weight_cap=min(max([1, *rows]), MOST_ROWS),
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
