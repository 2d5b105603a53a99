"""A stack with nodes on which learning cycles run, undisturbed and under kills, and the judgement on them."""

import uuid
from dataclasses import dataclass, field
from typing import Any

import asyncpg

from activities.privacy.accountant import epsilon
from audit.announcements import Announcements
from audit.decisions import stream_events
from audit.grounds import Grounds
from audit.replay import replay_stream
from domain.learning import tensor_file
from eventlog.reader import LogReader
from tests.faults import ledger
from tests.faults.learning_chaos import Chaos, Strike
from tests.faults.learning_rows import CLASSES, FEATURES, made
from tests.faults.learning_spending import Spending, charged_apart, overspent
from tests.faults.learning_truth import digests, faults, masked_twice, reports_of
from tests.faults.positions import until
from tests.faults.truth import parked, state_hashes
from workers.artifacts import FsspecArtifacts
from workers.replaying import replay_histories
from workflows.names import budget_stream, learning_stream

SETTINGS = {"features": FEATURES, "classes": CLASSES}
MASKED = ("secure_mpc", "hybrid")
_PROJECTED = "SELECT sum(next_offset) FROM projection_offset WHERE topic = 'learning' AND projection = $1"


@dataclass
class Scene:
    """A stack with nodes, and what cycles on it came to undisturbed, by kind."""

    chaos: Chaos
    artifacts: FsspecArtifacts
    rounds: int = 4
    undisturbed: dict[str, tuple[tuple[str, ...], int]] = field(default_factory=dict)
    sizes: set[int] = field(default_factory=set)

    async def request(self, **more: Any) -> dict[str, Any]:
        ref = await self.artifacts.put(tensor_file.encode(made(99)))
        return {
            "id": f"kills-{uuid.uuid4().hex[:8]}",
            "model": f"kills-{uuid.uuid4().hex[:8]}",
            "trainer": {"name": "logistic-regression", "settings": SETTINGS},
            "rounds": self.rounds,
            "cohort": {"share": 1, "minimum": 5, "size": 5},
            "local": {"learning_rate": 0.1, "epochs": 5},
            "holdout": {"uri": ref.uri, "sha256": ref.sha256, "bytes": ref.bytes},
            "seed": 7,
            **more,
        }

    async def expected(self, kind: str, **more: Any) -> tuple[tuple[str, ...], int]:
        """The models of a cycle of this kind in which nothing is killed, and how long its history is."""
        if kind not in self.undisturbed:
            request = await self.request(**more)
            outcome, length = await self.chaos.whole(request)
            events = await self.events(request["id"])
            assert faults(events, outcome, digests(events)) == []
            self.undisturbed[kind] = digests(events), length
        return self.undisturbed[kind]

    async def killed(self, kind: str, strikes: list[Strike], **more: Any) -> list[str]:
        """What is wrong with a cycle, and with a ledger that is charged meanwhile, under `strikes`."""
        models, length = await self.expected(kind, **more)
        request = await self.request(**more)
        spending = Spending(self.chaos.client, request["id"])
        spending.more()
        try:
            outcome = await self.chaos.disturbed(request, strikes, length, spending.more)
            answers = await spending.answers()
        finally:
            spending.stop()
        wrong = overspent(await self.events(request["id"], budget_stream), answers)
        return wrong + await self._judged(request, outcome, models)

    async def _judged(self, request, outcome, models) -> list[str]:
        events = await self.events(request["id"])
        if ledger := request.get("privacy", {}).get("ledger"):  # noised: no two cycles have the same models
            found = faults(events, outcome, digests(events))
            found += charged_apart(await self.events(ledger, budget_stream), events)
        else:
            found = faults(events, outcome, models)
        if request.get("privacy", {}).get("method") in MASKED:
            self.sizes |= {one.bytes for one in reports_of(events)}
            found += masked_twice(self.chaos.stack.folder / ".folkmoot" / "artifacts", self.sizes)
        return found + await self._replayed(request["id"])

    async def undoctored(self):
        """The events and the outcome of a cycle in which nothing is killed."""
        request = await self.request(rounds=2)
        outcome, _ = await self.chaos.whole(request)
        return await self.events(request["id"]), outcome

    async def events(self, cycle: str, stream=learning_stream):
        """All of a cycle, or of a ledger."""
        async with self._reader() as reader:
            return await stream_events(reader, stream(cycle))

    async def judged(self) -> int:
        """Hold the raw log and the tables against each other; how many records were there again."""
        settings = self.chaos.stack.settings
        await until(self._projected, "all of the cycles is projected")
        found = await ledger.read(
            settings, dict.fromkeys(await ledger.ends(settings, "learning"), 0), "learning"
        )
        assert found.faults == []
        assert await parked(settings) == []
        stored, folded = await state_hashes(settings)
        assert stored == folded
        return found.repeated

    def _reader(self) -> LogReader:
        settings = self.chaos.stack.settings
        return LogReader(settings.kafka, settings.topic_prefix)

    async def _replayed(self, cycle: str) -> list[str]:
        """What `moot audit replay` finds in the stream, in the log, the store and Temporal's history."""
        stream = learning_stream(cycle)
        async with self._reader() as reader:
            grounds = Grounds(self.artifacts, epsilon, Announcements(reader))
            found = await replay_stream(reader, stream, grounds)
            told = await replay_histories(self.chaos.client, reader, self.artifacts, stream, lambda *_: None)
        wrong = [*found.divergent, *found.passed.stopped, *told.foreign, *told.unvouched]
        return [*map(str, wrong), *map(str, told.divergent.items())]

    async def _projected(self) -> bool:
        settings = self.chaos.stack.settings
        ends = await ledger.ends(settings, "learning")
        connection = await asyncpg.connect(settings.database_url)
        try:
            return int(await connection.fetchval(_PROJECTED, "learning") or 0) == sum(ends.values())
        finally:
            await connection.close()
