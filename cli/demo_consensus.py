"""The consensus part of the demo, step by step; every number it prints is computed in that run."""

import asyncio
import os
import random
import secrets
import signal
from collections.abc import Awaitable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click
import msgspec
from temporalio.client import Client, WorkflowHandle

from activities.docket_tasks import DocketResults
from cli import demo_audit, demo_report, docket_run
from cli.decide import New
from domain.consensus.commands import CastBallot, OpenDeliberation, Voter
from domain.consensus.docket import DecideDocketRequest
from domain.consensus.outcome import ConsensusOutcome
from domain.consensus.policy import Policy, Weighting
from domain.refusal import Refusal
from domain.stream import item_stream
from domain.strict_json import printable
from workers.artifacts import FsspecArtifacts
from workers.embedded import stackfile
from workers.settings import Settings, load
from workers.temporal_client import connect
from workflows import names
from workflows.consensus import ReachConsensus
from workflows.docket import DecideDocket
from workflows.rounds import BallotReceipt

TABLE = Path(__file__).parents[1] / "examples" / "anaesthetists" / "ballots.csv"
QUESTION = "How fit is the patient for a general anaesthetic, from 1 to 4?"
WEIGHTINGS: tuple[Weighting, ...] = ("equal", "reputation", "posterior")
KILLED_DOCKET = 4_000
KILLED = ("projector", "orchestrator")
WAIT_SECONDS = 120.0
T = TypeVar("T")
Handle = WorkflowHandle[ReachConsensus, ConsensusOutcome]


@dataclass(frozen=True, slots=True)
class Demo:
    """One run of the demo: where the stack is, and how its ids end."""

    run: str
    ui: str
    settings: Settings
    client: Client
    quiet: bool

    def say(self, text: str = "") -> None:
        if not self.quiet:
            click.echo(text)

    def link(self, workflow: str) -> str:
        """Where the Temporal UI shows a workflow."""
        shown = workflow.replace("/", "%2F")
        return f"{self.ui}/namespaces/{self.settings.temporal_namespace}/workflows/{shown}"


async def show(stack: dict[str, Any], *, quiet: bool) -> dict[str, Any]:
    """Every step in order; returns what was measured."""
    settings = load()
    demo = Demo(secrets.token_hex(3), str(stack.get("ui") or ""), settings, await connect(settings), quiet)
    found: dict[str, Any] = {"patients": await _patients(demo)}
    found["live"] = await _live(demo)
    found["killed"] = await _killed(demo)
    found["audit"] = await demo_audit.show(demo.say, item_stream(f"patients-posterior-{demo.run}", 1))
    return found


async def _patients(demo: Demo) -> dict[str, Any]:
    """Three ways to weigh the same ballots, each a docket of its own."""
    demo.say(
        "\n1. Forty-five patients, five anaesthetists (Dawid and Skene 1979, Table 1), decided by Temporal"
    )
    raw = TABLE.read_bytes()
    results: dict[str, DocketResults] = {}
    for weighting in WEIGHTINGS:
        name = f"patients-{weighting}-{demo.run}"
        new = New(raw, QUESTION, "anaesthesia", Policy(weighting=weighting))
        results[weighting] = msgspec.json.decode(await docket_run.decide(name, new), type=DocketResults)
        demo.say(f"   {weighting:<11} {demo.link(names.docket_stream(name))}")
    demo.say(demo_report.patients(results))
    return demo_report.facts(results)


async def _live(demo: Demo) -> dict[str, Any]:
    """Three external voters, two rounds: the second changes a mind."""
    demo.say("\n2. A live deliberation: three voters cast sealed ballots, in two rounds")
    voters = ("ada", "grace", "edsger")
    request = OpenDeliberation(
        id=f"live-{demo.run}",
        question="Shall patient 36 be operated on today?",
        options=("operate", "wait"),
        topic="anaesthesia",
        voters=tuple(Voter(name, kind="external") for name in voters),
        policy=Policy(round_seconds=WAIT_SECONDS),
    )
    stream = names.consensus_stream(request.id)
    handle = await demo.client.start_workflow(
        ReachConsensus.run, request, id=stream, task_queue=names.TASK_QUEUE, static_summary=request.question
    )
    demo.say(f"   {demo.link(stream)}")
    for number, choices in enumerate((("operate", "wait", "wait"), ("wait", "wait", "wait")), start=1):
        await _open(handle, number)
        for name, choice in zip(voters, choices, strict=True):
            await _cast(
                demo, handle, CastBallot(name, choice, 0.7, f"my reading of form 36: {choice}", number)
            )
    outcome = await _within("the live deliberation", handle.result())
    return _told(demo, outcome)


async def _open(handle: Handle, number: int) -> None:
    """Wait until that round takes ballots."""
    while True:
        seen = await handle.query(ReachConsensus.state)
        if seen["round"] >= number:
            return
        await asyncio.sleep(0.05)


async def _cast(demo: Demo, handle: Handle, ballot: CastBallot) -> None:
    receipt = await handle.execute_update(names.CAST_BALLOT, ballot, result_type=BallotReceipt)
    demo.say(f"   round {ballot.round}: {ballot.voter:<7} hands in a ballot, seal {receipt.commitment[:16]}")


def _told(demo: Demo, outcome: ConsensusOutcome) -> dict[str, Any]:
    demo.say(
        f"   {outcome.status}: {printable(str(outcome.consensus))} after {outcome.rounds_required} rounds, "
        f"agreement {outcome.agreement:.2f}, {len(outcome.event_ids)} events"
    )
    return {
        "status": outcome.status,
        "consensus": outcome.consensus,
        "rounds_required": outcome.rounds_required,
    }


async def _killed(demo: Demo) -> dict[str, Any]:
    """Kill the projector and the orchestrator hard while a docket is being decided."""
    demo.say(f"\n3. Kill -9 of the projector and the orchestrator in the middle of {KILLED_DOCKET:,} items")
    artifacts = FsspecArtifacts(demo.settings.artifacts)
    name = f"killed-{demo.run}"
    run = docket_run.DocketRun(demo.client, artifacts)
    table = await artifacts.put(_crowd(KILLED_DOCKET))
    handle = await run.start(DecideDocketRequest(id=name, table=table, topic="demo"))
    decided = await _under_way(handle)
    for part in KILLED:
        pid = _pid(demo.settings.data, part)
        os.kill(pid, signal.SIGKILL)
        demo.say(f"   {decided:,} items decided: {part} (pid {pid}) killed")
    await _within("the docket whose workers were killed", run.watch(handle))
    counted = await demo_audit.count_docket(demo.settings, name, KILLED_DOCKET, WAIT_SECONDS)
    demo.say(
        f"   on the log: {counted['decided']:,} items decided, {counted['lost']} lost, {counted['doubled']} "
        f"decided twice\n   ({counted['repeated']:,} events written again by the retry, dropped by their ids)"
    )
    demo.say(f"   in Postgres: {counted['projected']:,} items decided")
    return counted


async def _within(what: str, work: Awaitable[T]) -> T:
    try:
        return await asyncio.wait_for(work, WAIT_SECONDS)
    except TimeoutError:
        raise Refusal(what, f"did not end within {WAIT_SECONDS:g} s; see .folkmoot/log") from None


async def _under_way(handle: docket_run.Handle) -> int:
    """Wait until some items are decided; how many."""
    while True:
        seen = await handle.query(DecideDocket.progress)
        if seen.decided:
            return seen.decided
        await asyncio.sleep(0.02)


def _pid(data: Path, part: str) -> int:
    stack = stackfile.read(data) or {}
    return int(stack["parts"][part]["pid"])


def _crowd(items: int) -> bytes:
    """Five of thirty voters on each item, from nearly blind to nearly sure; the same crowd in every run."""
    rng = random.Random(36)  # noqa: S311 # a reproducible crowd, no secret
    rows = ["item,voter,choice"]
    for item in range(items):
        truth = rng.randrange(3)
        for voter in rng.sample(range(30), 5):
            choice = truth if rng.random() < 0.4 + voter / 50 else rng.randrange(3)
            rows.append(f"case-{item},voter-{voter},{'abc'[choice]}")
    return "\n".join(rows).encode()
