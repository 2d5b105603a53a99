"""Asks a mediator where a panel found no consensus: twice, the second time with the options reversed."""

from dataclasses import dataclass

from temporalio import activity

from activities.asking import Rules, ask_both_orders
from activities.ports import Reasoner
from activities.reasoner import pieces, stances
from domain.consensus.events import MediationGiven, RoundClosed
from domain.consensus.state import Deliberation
from domain.reasoning.question import Question
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


def question_about(case: Case) -> Question:
    """The case as a reasoner is asked it."""
    return Question(
        case.question,
        stances(case.options),
        pieces(case.evidence),
        (*case.context, _counted(case), *(f"Reason: {item}" for item in case.reasons)),
    )


def account(case: Case) -> str:
    """What lies before a mediator, in words of ours, for the record of one that chose nothing."""
    return "\n".join(
        [
            f"Before the mediator: {len(case.evidence)} pieces of evidence, {len(case.reasons)} reasons.",
            _counted(case),
            *(f"Evidence: {item}" for item in case.evidence),
            *(f"Reason: {item}" for item in case.reasons),
        ]
    )


class Mediation:
    """Puts a case to the reasoner; `domain.consensus.settle` holds the answer to the case once more."""

    def __init__(self, reasoner: Reasoner | None = None) -> None:
        self._reasoner = reasoner or Rules()

    @activity.defn(name="mediate")
    async def mediate(self, case: Case) -> MediationGiven:
        """What holds in both orders, cut so that no payload is too large."""
        found = await ask_both_orders(self._reasoner, question_about(case))
        if found.choice is None:
            statement = _cut(f"{found.rationale}\n{account(case)}")
            return MediationGiven(self._reasoner.name, None, statement)
        chosen = {one.id: one.claim for one in stances(case.options)}[found.choice]
        texts = {piece.id: piece.text for piece in pieces(case.evidence)}
        cited = tuple(dict.fromkeys(texts[one] for one in found.citations))
        return MediationGiven(self._reasoner.name, chosen, _cut(found.rationale), cited)


def _counted(case: Case) -> str:
    tally = case.rounds[-1].tally if case.rounds else ()
    counted = "; ".join(f"{s.choice}: {s.ballots} ballots, weight {s.weight:g}" for s in tally)
    return f"Round {len(case.rounds)}, the last: {counted or 'no ballot'}."


def _cut(statement: str) -> str:
    return statement if len(statement) <= MAX_STATEMENT else statement[: MAX_STATEMENT - 2] + " …"
