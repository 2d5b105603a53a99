"""Replays workflows' histories against today's code, and holds them against what lies on the log."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec
from temporalio.client import Client, WorkflowHistory
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import Replayer

from activities.docket_slices import Slices
from activities.ports import ArtifactStore
from audit.authorship import Authorship, Unvouched, concerning
from audit.divergent import Divergent
from audit.ledger import Ledger
from domain.refusal import Refusal
from domain.stream import writer_of
from eventlog.reader import LogReader
from workers.histories import SliceLost, appended
from workflows import names, sandbox
from workflows.budget import KeepBudget
from workflows.conflict import ResolveConflict
from workflows.consensus import ReachConsensus
from workflows.docket import DecideDocket
from workflows.fleet import AnnounceHost
from workflows.learning import RunLearningCycle
from workflows.learning_shard import TrainShard
from workflows.model import KeepModel
from workflows.payloads import CONVERTER
from workflows.refusals import Refusals
from workflows.unknown import UnknownWorkflow

WORKFLOWS: tuple[type[Any], ...] = (
    ReachConsensus,
    DecideDocket,
    ResolveConflict,
    RunLearningCycle,
    TrainShard,
    AnnounceHost,
    KeepBudget,
    KeepModel,
    UnknownWorkflow,
)
Progress = Callable[[int, int], None]
_OURS = " OR ".join(f"WorkflowType = '{name}'" for name in names.WORKFLOWS)


def replayer(workflows: tuple[type[Any], ...] = WORKFLOWS) -> Replayer:
    """A replayer with the converter and interceptor of the orchestrator; it needs no server.

    It replays in the sandbox, where a workflow that looks at the clock or at chance fails; decisions are
    taken without it, in half the time.
    """
    return Replayer(
        workflows=workflows,
        data_converter=CONVERTER,
        interceptors=[Refusals()],
        workflow_runner=sandbox.runner(),
    )


@dataclass(slots=True)
class Histories:
    """What the histories came to.

    `replayed`: runs, of which today's code would not repeat those in `divergent`. `streams`: how many are on
    the log as their workflows wrote them; `foreign`: where one is not; `unvouched`: those without a history.
    """

    replayed: int = 0
    streams: int = 0
    divergent: dict[str, str] = field(default_factory=dict)
    foreign: list[Divergent] = field(default_factory=list)
    unvouched: list[Unvouched] = field(default_factory=list)


async def replay_histories(
    client: Client, reader: LogReader, artifacts: ArtifactStore, stream: str | None, progress: Progress
) -> Histories:
    """Replay every run that may have written `stream`, or any stream, and hold the log against what it wrote.

    An item of a docket has no workflow of its own: its docket's is replayed.
    """
    found, ledger = Histories(), Ledger(concerning(stream))
    await ledger.read(reader, progress)
    authorship = Authorship(ledger)
    replaying, slices = replayer(), Slices(artifacts)
    async for history in _histories(client, authorship, stream, progress):
        result = await replaying.replay_workflow(history, raise_on_replay_failure=False)
        problem = result.replay_failure or await _account(history, authorship, slices)
        if problem is not None:
            found.divergent[history.workflow_id] = " ".join(str(problem).split())
        found.replayed += 1
    await ledger.read(reader, lambda *_: None)
    foreign, found.unvouched = await authorship.findings(reader)
    found.streams = authorship.streams
    found.foreign = [await one.told(reader) for one in foreign]
    return found


async def _histories(
    client: Client, authorship: Authorship, stream: str | None, progress: Progress
) -> AsyncIterator[WorkflowHistory]:
    """Each run once: those that Temporal lists, then those that it knows but does not list yet."""
    query = _OURS if stream is None else f"WorkflowId = '{writer_of(stream)}'"
    listed = [(run.id, run.run_id) async for run in client.list_workflows(query)]
    seen: set[tuple[str, str]] = set()
    for done, (name, run) in enumerate(listed, start=1):
        async for history in _chain(client, name, run, seen):
            yield history
        progress(done, len(listed))
    silent = sorted(authorship.without_history())
    for done, name in enumerate(silent, start=1):
        async for history in _chain(client, name, None, seen):
            yield history
        progress(len(listed) + done, len(listed) + len(silent))


async def _chain(
    client: Client, name: str, run: str | None, seen: set[tuple[str, str]]
) -> AsyncIterator[WorkflowHistory]:
    """A run, and those that it went on from or goes on in, each that was not `seen` before."""
    wanted: list[str | None] = [run]
    while wanted:
        run = wanted.pop()
        if run is not None and (name, run) in seen:
            continue
        history = await _history(client, name, run)
        if history is None or (name, history.run_id) in seen:
            continue
        seen.add((name, history.run_id))
        yield history
        wanted += _neighbours(history)


def _neighbours(history: WorkflowHistory) -> list[str]:
    """The runs before and after, where a history was bounded by continuing as new."""
    first, last = history.events[0], history.events[-1]
    before = first.workflow_execution_started_event_attributes.continued_execution_run_id
    after = last.workflow_execution_continued_as_new_event_attributes.new_execution_run_id
    return [run for run in (before, after) if run]


async def _history(client: Client, name: str, run: str | None) -> WorkflowHistory | None:
    try:
        return await client.get_workflow_handle(name, run_id=run).fetch_history()
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return None
        raise


async def _account(history: WorkflowHistory, authorship: Authorship, slices: Slices) -> Exception | None:
    """Tell `authorship` what the run wrote; why that cannot be read."""
    name = history.workflow_id
    try:
        async for event, durable in appended(history, slices, authorship.ledger.wanted):
            authorship.wrote(name, event, durable=durable)
    except SliceLost as lost:
        authorship.cannot_tell(name, str(lost))
    except (Refusal, ApplicationError, msgspec.MsgspecError) as unreadable:
        return unreadable
    return None
