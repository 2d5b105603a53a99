"""Many keys that need a decision at once, and what became of their cases."""

import uuid
from dataclasses import dataclass
from itertools import accumulate

from domain.conflict.case import ContextKey
from domain.conflict.coalescing import case_id
from domain.conflict.reaction import Reaction
from domain.consensus.commands import RecordedBallot, Voter
from tests.integration.reaction.conftest import SOON
from tests.unit.domain.context.given import wrote
from workflows import names

EVERY_TENTH = 10
PANEL = tuple(Voter(f"m{number}", region="eu", ballots=(RecordedBallot("eu-1-1"),)) for number in range(3))
_LAYER = "situational"


def reaction(bound):
    """Of one region, whose panel of three has its ballots ready: cases begin at level 2, and end there."""
    return Reaction(open_cases=bound, regions=("eu",), members=PANEL, policy=SOON)


@dataclass
class Storm:
    """Keys by name; every tenth is more urgent, and none of them the oldest."""

    names: list[str]

    @classmethod
    def of(cls, count):
        return cls([f"ward/{uuid.uuid4().hex}" for _ in range(count)])

    @property
    def urgent(self):
        return {self.case(name) for name in self.names[EVERY_TENTH - 1 :: EVERY_TENTH]}

    @property
    def cases(self):
        return sorted(map(self.case, self.names))

    def case(self, name):
        return f"conflict/{case_id(ContextKey(_LAYER, name), 1)}"

    def writes(self):
        """Two of each key, by nodes that knew nothing of each other."""
        found = []
        for number, name in enumerate(self.names, 1):
            flags = ("user_facing",) if number % EVERY_TENTH == 0 else ()
            fields = {"key": name, "layer": _LAYER, "ttl_ms": None, "wall": 1_000 + number, "flags": flags}
            found += [wrote("eu-1:1", {"beds": 9}, **fields), wrote("eu-2:1", {"beds": 7}, **fields)]
        return found

    async def write(self, bed, together=1_000):
        writes = self.writes()
        for first in range(0, len(writes), together):
            await bed.write(*writes[first : first + together], regions=["eu"])

    async def runs(self, client):
        """Every run of its cases' workflows: id, when it began, and when it ended."""
        mine = set(self.cases)
        found = client.list_workflows(f'WorkflowType = "{names.RESOLVE_CONFLICT}"')
        return [(one.id, one.start_time, one.close_time) async for one in found if one.id in mine]


def most_at_once(runs):
    """How many of the runs were open at one time, at most."""
    turns = [(began, 1) for _, began, _ in runs] + [(ended, -1) for _, _, ended in runs if ended]
    return max(accumulate(step for _, step in sorted(turns)))
