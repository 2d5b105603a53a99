"""Those who speak to a stack while its parts are away: a writer of the log, and voters of a deliberation."""

import asyncio
import json
import re
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

from temporalio.client import Client, WorkflowHandle, WorkflowUpdateRPCTimeoutOrCancelledError
from temporalio.service import RPCError

from domain.consensus.commands import CastBallot, OpenDeliberation, Voter
from domain.consensus.events import Opened, Proposal, Seat
from domain.consensus.outcome import ConsensusOutcome
from domain.consensus.policy import Policy
from domain.event import Event, event_id
from eventlog.writer import LogWriter
from tests.faults.whole_stack import WholeStack
from workflows import names
from workflows.consensus import ReachConsensus
from workflows.rounds import BallotReceipt

Handle = WorkflowHandle[ReachConsensus, ConsensusOutcome]
T = TypeVar("T")
DIED = re.compile(r"(; )?died \d+ times in the last 60 s; see .*")
ROUND_SECONDS = 600.0  # no round of a test ends by the clock


@dataclass
class Appender:
    """Opens one deliberation after the other on the log, each again and again until it is acknowledged."""

    writer: LogWriter
    name: str = field(default_factory=lambda: f"appended-{secrets.token_hex(4)}")
    acknowledged: list[str] = field(default_factory=list)
    told: int = 0
    longest: float = 0.0
    _stop: bool = False

    async def run(self) -> None:
        event = self._opening()
        while not self._stop:
            began = time.monotonic()
            try:
                await self.writer.append("decisions", [event])
            except TimeoutError:
                self.told += 1
            else:
                self.acknowledged.append(event.stream)
                event = self._opening()
            self.longest = max(self.longest, time.monotonic() - began)
            await asyncio.sleep(0)

    def stop(self) -> None:
        self._stop = True

    def _opening(self) -> Event:
        stream, at = f"consensus/{self.name}-{len(self.acknowledged)}", datetime.now(UTC)
        proposal = Proposal(stream.partition("/")[2], "Which?", ("a", "b"))
        opened = Opened(proposal, Policy(), (Seat("ada"),), 1)
        return Event(event_id(at, stream), stream, 1, at, opened, "test")


@dataclass(frozen=True, slots=True)
class Live:
    """A deliberation of external voters who answer one by one."""

    client: Client
    id: str
    voters: tuple[str, ...]
    handle: Handle

    @classmethod
    async def open(cls, client: Client, voters: tuple[str, ...], **policy: Any) -> "Live":
        request = OpenDeliberation(
            id=f"live-{secrets.token_hex(4)}",
            question="Which?",
            options=("a", "b"),
            voters=tuple(Voter(name, kind="external") for name in voters),
            policy=Policy(round_seconds=ROUND_SECONDS, **policy),
        )
        handle = await client.start_workflow(
            ReachConsensus.run, request, id=names.consensus_stream(request.id), task_queue=names.TASK_QUEUE
        )
        return cls(client, request.id, voters, handle)

    @property
    def stream(self) -> str:
        return names.consensus_stream(self.id)

    async def cast(self, voter: str, choice: str, number: int) -> BallotReceipt:
        """Returns when the ballot is under seal; without an answer it is handed in again, as a user would."""
        ballot = CastBallot(voter, choice, reason=f"{voter} says {choice}", round=number)
        one = secrets.token_hex(16)  # Temporal answers it again, also when all has ended meanwhile
        return await answered(
            lambda: self.handle.execute_update(names.CAST_BALLOT, ballot, id=one, result_type=BallotReceipt)
        )

    async def round(self) -> int:
        state = await answered(lambda: self.handle.query(ReachConsensus.state))
        return int(state["round"])

    async def outcome(self, within: float = 60.0) -> ConsensusOutcome:
        return await answered(self.handle.result, within)


async def answered(ask: Callable[[], Awaitable[T]], within: float = 60.0) -> T:
    """Ask until there is an answer; Temporal's client gives up some calls when the server dies under them."""
    async with asyncio.timeout(within):
        while True:
            try:
                return await ask()
            except RPCError:
                await asyncio.sleep(0.1)
            except WorkflowUpdateRPCTimeoutOrCancelledError:
                if (task := asyncio.current_task()) and task.cancelling():
                    raise  # it stands for both, and this is the other one


async def problems(stack: WholeStack) -> tuple[dict[str, str], float]:
    """What `moot status` says is wrong, by part, and how long it took to say so.

    Without what it says last, of parts that died too often: those are the kills of the test before.
    """
    said = await stack.moot("status", "--json")
    found = json.loads(said.out)
    wrong = {name: part["problem"] for name, part in found["parts"].items() if part["problem"]}
    assert said.status == (1 if wrong else 0)
    others = {name: DIED.sub("", problem) for name, problem in wrong.items()}
    return {name: problem for name, problem in others.items() if problem}, said.seconds
