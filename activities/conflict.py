"""What a case asks of the world: the owning node's rule, and the mediator's opinion."""

from temporalio import activity

from activities.asking import Rules, ask_both_orders
from activities.ports import Reasoner
from domain.conflict.events import OpinionGiven, RuleApplied
from domain.conflict.local import Task, apply_rule
from domain.reasoning.question import Question


class LocalRule:
    """Applies a layer's rule, on the queue of the node that owns the entry or on the orchestrator's."""

    @activity.defn(name="apply_rule")
    async def apply_rule(self, task: Task) -> RuleApplied:
        return apply_rule(task)


class Opinions:
    """Asks the reasoner twice, the second time with the positions reversed."""

    def __init__(self, reasoner: Reasoner | None = None) -> None:
        self._reasoner = reasoner or Rules()

    @activity.defn(name="give_opinion")
    async def give_opinion(self, question: Question) -> OpinionGiven:
        """What holds in both orders; `domain.conflict.hearing` holds it to the case."""
        found = await ask_both_orders(self._reasoner, question)
        return OpinionGiven(
            self._reasoner.name, found.choice, found.confidence, found.rationale, found.citations
        )
