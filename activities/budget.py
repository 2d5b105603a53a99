"""What a privacy ledger has computed: the epsilon that mechanisms come to, which no workflow can."""

import asyncio
from dataclasses import dataclass

from temporalio import activity

from activities.privacy import accountant
from domain.learning.mechanism import Composition


@dataclass(frozen=True, slots=True)
class CompositionsWanted:
    """Compositions of which the epsilon at `delta` is wanted."""

    compositions: tuple[Composition, ...]
    delta: float


class Budgeting:
    """Asks the accountant, which takes a thread: it may compute for seconds."""

    @activity.defn(name="compose_budget")
    async def compose_budget(self, wanted: CompositionsWanted) -> tuple[float, ...]:
        """The epsilon of each, in their order.

        Raises:
            Refusal: the extra `folkmoot[learning]` is not installed here.
        """
        return await asyncio.to_thread(
            lambda: tuple(accountant.epsilon(one, wanted.delta) for one in wanted.compositions)
        )
