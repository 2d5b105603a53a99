"""Asks the reasoner of one node for its ballot; what it reads and how it thinks stays on that node."""

from dataclasses import dataclass
from typing import Protocol

from temporalio import activity

from domain.consensus.events import Objection, Support
from domain.consensus.state import Deliberation
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


class Reasoner(Protocol):
    """One node's way of answering a question: a model, a rule, a person's queue."""

    async def answer(self, inquiry: Inquiry) -> Answer:
        """Choose among `inquiry.options`, or abstain."""
        ...


class Abstains:
    """The reasoner of a node without a model."""

    async def answer(self, inquiry: Inquiry) -> Answer:
        seen = f"{len(inquiry.options)} options, {len(inquiry.evidence)} pieces of evidence"
        return Answer(choice=None, reason=f"no model on this node: {seen}, grouped, not understood")


class Reasoning:
    """Runs the injected reasoner as an activity on the node's own task queue."""

    def __init__(self, reasoner: Reasoner) -> None:
        self._reasoner = reasoner

    @activity.defn(name="answer_inquiry")
    async def answer_inquiry(self, inquiry: Inquiry) -> Answer:
        return await self._reasoner.answer(inquiry)
