"""Asks the reasoner of one node for its ballot; what it reads and how it thinks stays on that node."""

from dataclasses import dataclass

from temporalio import activity

from activities.asking import ask
from activities.ports import Reasoner
from domain.consensus.commands import MAX_REASON
from domain.consensus.events import Objection, Support
from domain.consensus.state import Deliberation
from domain.reasoning.question import Piece, Question, Stance
from domain.reasoning.verdict import Verdict
from domain.refusal import Refusal


@dataclass(frozen=True, slots=True)
class Inquiry:
    """The open round as one voter may see it: in round 1 nothing of the others, later what they said."""

    deliberation: str
    voter: str
    round: int
    question: str
    options: tuple[str, ...]
    context: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    tally: tuple[Support, ...] = ()
    objections: tuple[Objection, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """A ballot; `choice` None abstains, `confidence` is the probability stated for `choice`."""

    choice: str | None
    confidence: float | None = None
    reason: str = ""


def inquiry_of(voter: str, state: Deliberation) -> Inquiry:
    """The open round as `voter` may see it."""
    proposal, last = state.proposal, state.last_round
    if proposal is None:
        raise Refusal("state", "there is nothing to ask before the opening")
    return Inquiry(
        deliberation=proposal.id,
        voter=voter,
        round=state.round,
        question=proposal.question,
        options=state.options,
        context=proposal.context,
        evidence=proposal.evidence,
        tally=last.tally if last else (),
        objections=last.objections if last else (),
    )


def stances(options: tuple[str, ...]) -> tuple[Stance, ...]:
    """The options, each under a short id of ours: o1, o2 and on."""
    return tuple(Stance(f"o{number}", option) for number, option in enumerate(options, start=1))


def pieces(evidence: tuple[str, ...]) -> tuple[Piece, ...]:
    """The evidence, each piece under a short id of ours: e1, e2 and on."""
    return tuple(Piece(f"e{number}", text) for number, text in enumerate(evidence, start=1))


def question_for(inquiry: Inquiry) -> Question:
    """The inquiry as a reasoner is asked it."""
    tally = (f"round before: {one.choice}: {one.ballots} ballots" for one in inquiry.tally)
    objections = (f"objection of {one.voter}: {one.choice}: {one.reason}" for one in inquiry.objections)
    return Question(
        inquiry.question,
        stances(inquiry.options),
        pieces(inquiry.evidence),
        (*inquiry.context, *tally, *objections),
        inquiry.voter,
        inquiry.round,
    )


class Reasoning:
    """Runs the injected reasoner as an activity on the node's own task queue."""

    def __init__(self, reasoner: Reasoner) -> None:
        self._reasoner = reasoner

    @activity.defn(name="answer_inquiry")
    async def answer_inquiry(self, inquiry: Inquiry) -> Answer:
        """One ballot, for the voter that is asked; an answer that is no verdict is an abstention."""
        try:
            verdict = await ask(self._reasoner, question_for(inquiry))
        except Refusal as refusal:
            return Answer(None, reason=f"abstained: the answer is invalid: {refusal}"[:MAX_REASON])
        if verdict.choice is None:
            return Answer(None, reason=verdict.rationale)
        chosen = {one.id: one.claim for one in stances(inquiry.options)}[verdict.choice]
        return Answer(chosen, verdict.confidence, _reason(verdict))


def _reason(verdict: Verdict) -> str:
    cited = f" (cites {', '.join(verdict.citations)})" if verdict.citations else ""
    return verdict.rationale[: MAX_REASON - len(cited)] + cited
