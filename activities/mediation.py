"""Asks a mediator where a panel found no consensus; the built-in one understands nothing and says so."""

from dataclasses import dataclass, replace
from typing import Protocol

from temporalio import activity

from domain.consensus.events import MediationGiven, RoundClosed
from domain.consensus.state import Deliberation
from domain.refusal import Refusal

MAX_STATEMENT = 8_000
MAX_REASONS = 100
MAX_QUOTED = 500


@dataclass(frozen=True, slots=True)
class Case:
    """What a mediator is given: all of it data, none of it an instruction."""

    question: str
    options: tuple[str, ...]
    evidence: tuple[str, ...]
    context: tuple[str, ...]
    rounds: tuple[RoundClosed, ...]
    reasons: tuple[str, ...]


def case_of(state: Deliberation) -> Case:
    """The case as the record holds it, with the last round's reasons, cut so that no payload is too large."""
    proposal = state.proposal
    if proposal is None:
        raise Refusal("state", "there is no case before the opening")
    said = [counted.ballot for counted in state.ballots_of(state.round) if counted.ballot.reason]
    return Case(
        question=proposal.question,
        options=proposal.options,
        evidence=proposal.evidence,
        context=proposal.context,
        rounds=state.rounds,
        reasons=tuple(f"{b.voter}: {b.choice}: {b.reason[:MAX_QUOTED]}" for b in said[:MAX_REASONS]),
    )


class Mediator(Protocol):
    """Reads a case and chooses one option, or abstains."""

    async def mediate(self, case: Case) -> MediationGiven:
        """A choice among `case.options` or None, a statement, and citations of `case.evidence`."""
        ...


class StatesTheEvidence:
    """The mediator of a system without a model: states what lies before it, and abstains."""

    async def mediate(self, case: Case) -> MediationGiven:
        tally = case.rounds[-1].tally if case.rounds else ()
        counted = "; ".join(f"{s.choice}: {s.ballots} ballots, weight {s.weight:g}" for s in tally)
        lines = [
            f"Grouped, not understood: {len(case.evidence)} pieces of evidence, {len(case.reasons)} reasons.",
            f"Round {len(case.rounds)}, the last: {counted or 'no ballot'}.",
            *(f"Evidence: {item}" for item in case.evidence),
            *(f"Reason: {item}" for item in case.reasons),
            "No model is configured, so nothing was weighed, and no option is chosen.",
        ]
        statement = "\n".join(lines)
        if len(statement) > MAX_STATEMENT:
            statement = statement[: MAX_STATEMENT - 2] + " …"
        return MediationGiven(mediator="states-the-evidence", choice=None, statement=statement)


class Mediation:
    """Hands a case to the injected mediator; `domain.consensus.settle` holds its answer to the case."""

    def __init__(self, mediator: Mediator) -> None:
        self._mediator = mediator

    @activity.defn(name="mediate")
    async def mediate(self, case: Case) -> MediationGiven:
        """The mediator's answer, its statement cut so that no payload is too large."""
        answer = await self._mediator.mediate(case)
        return replace(answer, statement=answer.statement[:MAX_STATEMENT])
