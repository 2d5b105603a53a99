"""A stack, the work it is given, and the judgement on what it made of it."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from tests.faults.dockets import Dockets
from tests.faults.ledger import Ends, Ledger
from tests.faults.positions import Positions
from tests.faults.truth import audited, judge
from tests.faults.whole_stack import WholeStack


@dataclass(frozen=True, slots=True)
class Scene:
    """`since` is where the log ended when the scene began."""

    stack: WholeStack
    positions: Positions
    dockets: Dockets
    since: Ends

    async def judged(self, items: Collection[str]) -> Ledger:
        """See `tests.faults.truth.judge`."""
        return await judge(self.stack, self.positions, self.since, items)

    async def audited(self) -> dict[str, Any]:
        """See `tests.faults.truth.audited`."""
        return await audited(self.stack)
