"""Rosters held against the topic `fleet`: no client may be in one otherwise than its host announced it."""

import hashlib
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from audit.decisions import partition_fold
from audit.learning_wording import few
from domain.event import Event
from domain.learning.fleet import Announced, Candidate
from domain.learning.roster import Host, fold_host
from domain.refusal import Refusal
from eventlog.reader import LogReader
from projections.batch import decoded

TOPIC = "fleet"
_encode = msgspec.json.Encoder().encode


@dataclass(slots=True)
class Announcements:
    """Every whole announcement on the log, as far as that goes when it is first asked for.

    Of each client, once for each way it was announced in, only a digest is held, and since when.
    """

    reader: LogReader
    _since: dict[bytes, datetime] | None = None
    _names: set[str] = field(default_factory=set)

    async def check(self, roster: Sequence[Candidate], at: datetime) -> None:
        """See `audit.grounds.Announced`; `at` is held against the time in each announcement's event."""
        since = await self._read() if self._since is None else self._since
        known = [(one, since.get(_mark(one))) for one in roster]
        strange = [one.client.id for one, when in known if when is None]
        never = [name for name in strange if name not in self._names]
        if never:
            raise Refusal("roster", f"holds {few(never)}, which no host ever announced")
        if strange:
            raise Refusal("roster", f"holds {few(strange)} otherwise than any host announced it")
        late = [one.client.id for one, when in known if when is not None and when > at]
        if late:
            raise Refusal("roster", f"holds {few(late)}, which its host announced only after the round began")

    async def _read(self) -> dict[bytes, datetime]:
        since: dict[bytes, datetime] = {}
        for partition in await self.reader.partitions(TOPIC):
            async for candidate, at in self._announced(partition):
                mark = _mark(candidate)
                since[mark] = min(since.get(mark, at), at)
                self._names.add(candidate.client.id)
        self._since = since
        return since

    async def _announced(self, partition: int) -> AsyncIterator[tuple[Candidate, datetime]]:
        start, end = await self.reader.beginning_and_end(TOPIC, partition)
        fold, hosts = await partition_fold(self.reader, TOPIC, partition), dict[str, Host]()
        async with aclosing(self.reader.batches(TOPIC, partition, start, end)) as batches:
            async for records in batches:
                batch = decoded(records)
                folded = await fold.fold(batch)
                unapplied = folded.repeated | folded.given_up | {letter.offset for letter in folded.dead}
                for record, event in batch:
                    if isinstance(event, Event) and record.offset not in unapplied:
                        for one in _whole(hosts, event):
                            yield one, event.time


def _whole(hosts: dict[str, Host], event: Event) -> Iterator[Candidate]:
    """Those of the announcement that `event` completes, if it does."""
    host = hosts[event.stream] = fold_host(hosts.get(event.stream), event)
    if isinstance(event.data, Announced) and event.data.part == event.data.parts:
        yield from (Candidate(client, host.host, host.region) for client in host.clients)


def _mark(candidate: Candidate) -> bytes:
    return hashlib.sha256(_encode(candidate)).digest()
