"""What learning needs of the world, in memory: clients with rows, a roster, versions."""

from activities.learning_ports import Version
from domain.learning.fleet import Candidate, Client, DataOffer
from domain.refusal import Refusal


class Versions:
    """The versions of models: `v1.0`, `v1.1`, …; a cycle that publishes again gets the same one."""

    def __init__(self) -> None:
        self.known = {}
        self.published = {}

    async def version(self, model, name=None):
        found = [one for one in self.known.get(model, []) if name in (None, one.name)]
        if name is not None and not found:
            raise Refusal("parent", f"{model} has no version {name}")
        return found[-1] if found else None

    async def publish(self, model, command):
        if command.cycle not in self.published:
            before = self.known.setdefault(model, [])
            name = f"v1.{len(before)}"
            before.append(Version(name, command.artifact, command.digest, command.loss))
            self.published[command.cycle] = (command, before[-1])
        return self.published[command.cycle][1]


class Clients:
    """A roster of candidates that a test may change."""

    def __init__(self, candidates=()) -> None:
        self.there = list(candidates)

    async def candidates(self):
        return sorted(self.there, key=lambda one: one.client.id)


class Rows:
    """One client's rows, of whatever time is asked for."""

    def __init__(self, rows) -> None:
        self.all = rows

    def offers(self):
        return (DataOffer("default", len(next(iter(self.all.values())))),)

    def rows(self, name, since, until):  # noqa: ARG002 # the port's shape
        return self.all


def data_of(rows):
    """`activities.training.Clients` over a mapping of client to `Rows`."""

    def find(client):
        if client not in rows:
            raise Refusal("client", "this host does not train for it")
        return rows[client]

    return find


KEY = "A" * 43 + "="
"""Of nobody: for methods that only ask whether there is one."""


def candidate(name, host, region="eu", trainers=("logistic-regression",), rows=100, **more):
    told = {"identity": KEY, **more}
    return Candidate(Client(name, (DataOffer("default", rows),), tuple(trainers), **told), host, region)
