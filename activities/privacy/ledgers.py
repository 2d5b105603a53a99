"""The accountant of methods with noise: charges the ledger before anybody trains, states what is spent."""

import asyncio
from collections.abc import Collection, Sequence

import msgspec

from activities.learning_ports import Budgets, Journal
from activities.privacy import accountant
from activities.privacy.port import OVERSPENT, Session
from domain.counting import counted
from domain.learning.budget.commands import Charged
from domain.learning.budget.release import attempt_id, charges, in_every_attempt, paid_again
from domain.learning.dp_schedule import schedule
from domain.learning.events import PrivacyMetadata
from domain.learning.mechanism import Mechanism, compose
from domain.refusal import Refusal
from domain.strict_json import printable


class _Sampled(msgspec.Struct, frozen=True):
    """Who was charged for all rounds of a cycle, at which probability of being drawn."""

    share: float
    subjects: tuple[str, ...]


class _Released(msgspec.Struct, frozen=True):
    """What a round's release cost those it counts for."""

    noise: float
    sampling: float
    count: int


class Ledgers:
    """`Accountant` over the injected ledgers; `journal` is of every process that sums.

    Charges are conservative. A cohort that was drawn and charged is not paid back when its attempt is
    abandoned, nor when a process died between the charge and the record and another cohort is drawn: the
    charge's id ends in the digest of its subjects, so that only the same cohort is the same charge.
    """

    def __init__(self, budgets: Budgets, journal: Journal) -> None:
        self._budgets = budgets
        self._journal = journal

    async def admit(self, session: Session, everybody: Sequence[str]) -> None:
        """See `activities.privacy.port.Accountant`."""
        place = session.cycle, session.round, session.attempt
        mechanism = _mechanism(session)
        if session.spec.sampling == "public":
            subjects = {session.subjects.get(client, client) for client in session.cohort}
            await self._charge(session, attempt_id(*place, subjects), subjects, mechanism)
            return
        known = _Sampled(mechanism.sampling, tuple(sorted(everybody)))
        raw = await self._journal.once(f"dp/sampled/{session.cycle}", msgspec.json.encode(known))
        kept = msgspec.json.decode(raw, type=_Sampled)
        if session.round == 1:
            whole = Mechanism(mechanism.noise_multiplier, kept.share, session.rounds)
            await self._charge(session, session.cycle, kept.subjects, whole)
        # Who came since, and everybody where a smaller fleet is drawn from more often, pays for this round.
        paid = mechanism.sampling <= kept.share and not paid_again(session.spec, session.attempt)
        more = set(everybody) - (set(kept.subjects) if paid else set())
        await self._charge(session, attempt_id(*place, more), more, mechanism)

    async def stated(self, session: Session) -> PrivacyMetadata:
        """See `activities.privacy.port.Accountant`."""
        spec, prefix = session.spec, f"dp/stated/{session.cycle}"
        one = _mechanism(session)
        count = session.attempt if in_every_attempt(spec) else 1
        now = msgspec.json.encode(_Released(one.noise_multiplier, one.sampling, count))
        said = [await self._journal.once(f"{prefix}/{session.round}", now)]
        said += [await self._journal.read(f"{prefix}/{n}") or now for n in range(1, session.round)]
        released = [msgspec.json.decode(raw, type=_Released) for raw in said]
        whole = compose(Mechanism(each.noise, each.sampling, each.count) for each in released)
        epsilon = await asyncio.to_thread(accountant.epsilon, whole, spec.delta)
        return PrivacyMetadata(spec.method, epsilon, spec.delta)

    async def _charge(
        self, session: Session, name: str, subjects: Collection[str], mechanism: Mechanism
    ) -> None:
        for charge in charges(session.spec, name, subjects, mechanism):
            charged = await self._budgets.charge(charge)
            if not charged.granted:
                raise _overspent(session, charged)


def _mechanism(session: Session) -> Mechanism:
    """Of one round."""
    return schedule(session.spec, 1, session.size or len(session.cohort), session.eligible)


def _overspent(session: Session, charged: Charged) -> Refusal:
    spec = session.spec
    subject, epsilon = charged.refused[0]
    others = (
        f", and {counted(charged.refusals - 1, 'more subject')} would pass it" if charged.refusals > 1 else ""
    )
    return Refusal(
        OVERSPENT,
        f"before round {session.round} {printable(subject, 60)} would have spent {epsilon:.4g} of "
        f"{spec.budget:g} epsilon on the ledger {spec.ledger}{others}; ask for a smaller epsilon, "
        "other clients, or a larger budget on a new ledger",
    )
