"""Asks a reasoner, whichever it is, and lets nothing out but a verdict that fits its question."""

from activities.ports import Reasoner
from domain.reasoning.question import Question, reversed_order
from domain.reasoning.verdict import Verdict, agreed, by_rules, check_verdict, no_verdict
from domain.refusal import Refusal


class Rules:
    """The built-in reasoner: groups, counts, and says that it does not understand."""

    name = "rules"

    async def verdict(self, question: Question) -> Verdict:
        return by_rules(question)


async def ask(reasoner: Reasoner, question: Question) -> Verdict:
    """The reasoner's verdict.

    Raises:
        Refusal: what it answered is no verdict on this question.
    """
    return check_verdict(await reasoner.verdict(question), question)


async def ask_both_orders(reasoner: Reasoner, question: Question) -> Verdict:
    """What it says in both orders of the positions; anything else is no verdict."""
    first = await _or_none(reasoner, question)
    second = await _or_none(reasoner, reversed_order(question))
    return agreed(first, second)


async def _or_none(reasoner: Reasoner, question: Question) -> Verdict:
    try:
        return await ask(reasoner, question)
    except Refusal as refusal:
        return no_verdict(f"the answer does not fit: {refusal}")
