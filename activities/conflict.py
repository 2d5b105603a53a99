"""What a case asks of the world: the owning node's rule, and the mediator's opinion."""

from typing import Protocol

from temporalio import activity

from domain.conflict.events import OpinionGiven, RuleApplied
from domain.conflict.local import Task, apply_rule
from domain.conflict.verdict import Question, Verdict, agreed, by_rules, reversed_order


class LocalRule:
    """Applies a layer's rule, on the queue of the node that owns the entry or on the orchestrator's."""

    @activity.defn(name="apply_rule")
    async def apply_rule(self, task: Task) -> RuleApplied:
        return apply_rule(task)


class Judge(Protocol):
    """Answers one question with one verdict; `name` goes on the record."""

    @property
    def name(self) -> str: ...

    async def verdict(self, question: Question) -> Verdict:
        """One of the positions, or none; whatever is no verdict must be told as none."""
        ...


class CountsAndAbstains:
    """The judge of a system without a model: groups, counts, and says that it does not understand."""

    name = "rules"

    async def verdict(self, question: Question) -> Verdict:
        return by_rules(question)


class Opinions:
    """Asks the injected judge twice, the second time with the positions reversed."""

    def __init__(self, judge: Judge | None = None) -> None:
        self._judge = judge or CountsAndAbstains()

    @activity.defn(name="give_opinion")
    async def give_opinion(self, question: Question) -> OpinionGiven:
        """What holds in both orders; `domain.conflict.hearing` holds it to the case."""
        first = await self._judge.verdict(question)
        second = await self._judge.verdict(reversed_order(question))
        found = agreed(first, second)
        return OpinionGiven(
            self._judge.name, found.choice, found.confidence, found.rationale, found.citations
        )
