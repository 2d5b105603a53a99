"""A fleet whose nodes have identities, journals and every privacy method."""

import asyncio
import base64
from dataclasses import replace

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from activities.privacy.registry import Methods
from tests.fakes.journal import MemoryJournal
from workers import privacy_methods
from workers.budgets import TemporalBudgets


class Remembers(MemoryJournal):
    """A journal whose every value a test can look for, also when it was forgotten."""

    def __init__(self):
        super().__init__()
        self.ever = {}

    async def once(self, key, value):
        kept = await super().once(key, value)
        self.ever[key] = kept
        return kept


class Twice:
    """A client whose every answer is given a second time by a process that has nothing but the journal.

    `gone`: at which step of which client nobody answers any more; `cut`: at which its answer is none.
    """

    def __init__(self, make, client, gone, cut):
        self._halves, self._client, self._gone = [make().node, make().node], client, gone
        self._cut = cut

    async def exchange(self, spec, step, session, inbox):
        await self._leave(step)
        first, again = [
            await half(spec, self._client).exchange(step, session, inbox) for half in self._halves
        ]
        assert first == again
        return first[:-1] if (self._client, step) in self._cut else first

    async def protect(self, spec, session, update):
        await self._leave("protect")
        first, again = [await half(spec, self._client).protect(session, update) for half in self._halves]
        assert first == again
        return first

    async def close(self, spec, session):
        for half in self._halves:
            await half(spec, self._client).close(session)

    async def _leave(self, step):
        if (self._client, step) in self._gone:
            await asyncio.Event().wait()  # as a process that was killed: nothing comes, ever


class _Half:
    def __init__(self, spec, twice):
        self._spec, self._twice = spec, twice

    def __getattr__(self, name):
        return lambda *given: getattr(self._twice, name)(self._spec, *given)


class NodeMethods:
    """`Methods` of a node, whose halves are `Twice`."""

    def __init__(self, journal, key, gone, cut):
        self._make, self._gone, self._cut = lambda: privacy_methods.of_node(journal, key), gone, cut
        self._own = self._make()

    def node(self, spec, client):
        return _Half(spec, Twice(self._make, client, self._gone, self._cut))

    def __getattr__(self, name):
        return getattr(self._own, name)


def public(key):
    return base64.b64encode(key.public_key().public_bytes_raw()).decode()


async def private(fleet, *, gone=frozenset(), cut=frozenset(), **more):
    """A fleet that does not work yet; `gone` and `cut` as in `Twice`."""
    ten = await fleet(working=False, **more)
    ten.keys = {ten.host(n): Ed25519PrivateKey.generate() for n in range(ten.hosts)}
    ten.journals = {host: Remembers() for host in ten.keys}
    ten.aggregator = Remembers()
    ten.roster.there = [
        replace(
            one,
            client=replace(
                one.client,
                identity=public(ten.keys[one.host]),
                data=(replace(one.client.data[0], rows=len(ten.rows[one.client.id].all["y"])),),
            ),
        )
        for one in ten.roster.there
    ]
    budgets = TemporalBudgets(ten.client, f"folkmoot-{ten.name}")

    def methods(journal) -> Methods:
        for host, own in ten.journals.items():
            if journal is own:
                return NodeMethods(journal, ten.keys[host], gone, cut)
        return privacy_methods.of_aggregator(ten.aggregator, budgets)

    ten.methods = methods
    return ten


class Working:
    """The workers of a fleet, as long as the block lasts."""

    def __init__(self, fleet):
        self.fleet = fleet

    async def __aenter__(self):
        self.workers = [self.fleet.orchestrating(), *map(self.fleet.hosting, range(self.fleet.hosts))]
        for one in self.workers:
            await one.__aenter__()
        return self.fleet

    async def __aexit__(self, *_):
        await asyncio.gather(*(one.__aexit__(None, None, None) for one in self.workers))
