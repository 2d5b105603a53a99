"""The real processes: `moot worker orchestrator` over Kafka, spoken to by the `moot` command."""

import asyncio
import json
import signal
import uuid

from temporalio.client import Client

from domain.consensus.events import BallotCast, Decided
from domain.consensus.state import NOT_OPENED, fold
from tests.integration.workflows.processes import DEADLINE


def proposal(kind: str = "recorded", **changes) -> tuple[str, bytes]:
    name = f"e2e-{uuid.uuid4().hex[:8]}"
    voters = [
        {"id": f"v{n}", "ballots": [{"choice": "a"}]} if kind == "recorded" else {"id": f"v{n}", "kind": kind}
        for n in range(3)
    ]
    asked = {"id": name, "question": "Which?", "options": ["a", "b"], "voters": voters, **changes}
    return name, json.dumps(asked).encode()


async def test_a_proposal_in_a_file_becomes_a_decision_on_kafka(stack):
    name, text = proposal()
    async with stack.worker():
        outcome = await stack.json("consensus", "start", "-", "--wait", stdin=text)
        shown = await stack.json("consensus", "show", name)
        again = await stack.moot("consensus", "start", "-", stdin=text)
        code, said, _ = await stack.moot("consensus", "show", name)
    assert (outcome["status"], outcome["consensus"]) == ("consensus", "a")
    assert shown["decided"]["consensus"] == "a"
    assert (code, said.splitlines()[-1][:24]) == (0, "Decided by consensus: a ")
    assert again == (
        1,
        "",
        f"moot: id: consensus/{name} was started before; `moot consensus show {name}` shows it\n",
    )
    events = await stack.events(f"consensus/{name}")
    assert [event.id for event in events] == outcome["event_ids"]
    assert isinstance(events[-1].data, Decided)


async def test_a_terminated_deliberation_is_not_shown_as_open(stack, client):
    name, text = proposal("external")
    async with stack.worker():
        await stack.json("consensus", "start", "-", stdin=text)
        await stack.json("consensus", "ballot", name, "--voter", "v0", "--choice", "a")
        await client.get_workflow_handle(f"consensus/{name}").terminate()
        shown = await stack.json("consensus", "show", name)
        code, said, _ = await stack.moot("consensus", "show", name)
        watched = await stack.moot("consensus", "watch", name)
    assert (shown["ended"], shown["decided"]) == ("terminated", None)
    last = "Its workflow was terminated: no outcome is on the log, and none will follow."
    assert (code, said.splitlines()[-1]) == (0, last)
    assert "Round 1 is open" not in said
    assert (watched[0], "it was terminated" in watched[2]) == (1, True)


async def test_a_deliberation_survives_kill_9_of_the_orchestrator(stack):
    name, text = proposal("external", policy={"threshold": 0.9})
    async with stack.worker() as process:
        started = await stack.json("consensus", "start", "-", stdin=text)
        assert started["workflow_id"] == f"consensus/{name}"
        receipt = await stack.json("consensus", "ballot", name, "--voter", "v0", "--choice", "a")
        process.send_signal(signal.SIGKILL)
        await process.wait()
    async with stack.worker() as process:
        assert await stack.json("consensus", "ballot", name, "--voter", "v0", "--choice", "a") == receipt
        refused = await stack.moot("consensus", "ballot", name, "--voter", "nobody", "--choice", "a")
        for voter in ("v1", "v2"):
            await stack.json("consensus", "ballot", name, "--voter", voter, "--choice", "a")
        code, out, _ = await stack.moot("consensus", "watch", name, "--json")
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), DEADLINE) == 0
    assert refused == (1, "", "moot: voter: nobody is not on the panel\n")
    assert (code, json.loads(out.splitlines()[-1])["decided"]["consensus"]) == (0, "a")
    events = await stack.events(f"consensus/{name}")
    state = NOT_OPENED
    for event in {event.id: event for event in events}.values():
        state = fold(state, event)
    assert state.decided.consensus == "a"
    assert sum(isinstance(event.data, BallotCast) for event in events) == 3


REASONER = """
from domain.reasoning.verdict import Verdict

class First:
    name = "first"

    async def verdict(self, question):
        return Verdict("o1", 0.9, f"round {question.round} on my own data")
"""


async def test_a_reasoner_of_ones_own_votes_on_its_node(stack, tmp_path):
    (tmp_path / "my_reasoners.py").write_text(REASONER)
    node = f"node-{uuid.uuid4().hex[:8]}"
    name, text = proposal(voters=[{"id": "r", "kind": "reasoner", "node": node}])
    reasoner = ("--id", node, "--reasoner", "my_reasoners:First")
    async with stack.worker(), stack.worker("node", *reasoner, cwd=tmp_path):
        outcome = await stack.json("consensus", "start", "-", "--wait", stdin=text)
    assert (outcome["consensus"], outcome["participating_nodes"]) == ("a", ["r"])
    (ballot,) = [e.data for e in await stack.events(f"consensus/{name}") if isinstance(e.data, BallotCast)]
    assert ballot.reason == "round 1 on my own data"


async def test_a_person_at_the_terminal_of_a_node_votes(stack):
    node = f"node-{uuid.uuid4().hex[:8]}"
    name, text = proposal(voters=[{"id": "ada", "kind": "reasoner", "node": node}])
    typed = b"o2\n70 %\nI have seen it\n\n"
    at_desk = stack.worker("node", "--id", node, "--reasoner", "person", typed=typed)
    async with stack.worker(), at_desk:
        outcome = await stack.json("consensus", "start", "-", "--wait", stdin=text)
    assert (outcome["consensus"], outcome["participating_nodes"]) == ("b", ["ada"])
    (ballot,) = [e.data for e in await stack.events(f"consensus/{name}") if isinstance(e.data, BallotCast)]
    assert (ballot.confidence, ballot.reason) == (0.7, "I have seen it")


async def test_a_model_that_cannot_be_asked_keeps_the_orchestrator_from_starting(stack):
    model = {"FOLKMOOT_MEDIATOR": "model", "FOLKMOOT_MODEL": "nowhere:best"}
    code, _, err = await stack.moot("worker", "orchestrator", **model)
    assert code == 1
    assert "FOLKMOOT_MODEL: nowhere:best: " in err


async def test_commands_about_an_unknown_deliberation_are_refused_in_one_line(stack):
    for args in (
        ["ballot", "none-such", "--voter", "v", "--choice", "a"],
        ["rule", "none-such", "--choice", "a", "--reason", "r", "--as", "me"],
        ["watch", "none-such"],
    ):
        code, out, err = await stack.moot("consensus", *args)
        assert (code, out) == (1, "")
        assert len(err.splitlines()) == 1
        assert "consensus/none-such" in err


async def test_a_ballot_without_a_worker_is_answered_in_time(stack, temporal):
    name, text = proposal("external")
    await stack.json("consensus", "start", "-", stdin=text)
    code, _, err = await stack.moot("consensus", "ballot", name, "--voter", "v0", "--choice", "a")
    assert code == 1
    assert "does `moot worker orchestrator` run?" in err
    # Not left to the next orchestrator, which may be another test's.
    await (await Client.connect(temporal)).get_workflow_handle(f"consensus/{name}").terminate()


async def test_an_orchestrator_without_search_attributes_names_the_command(stack, temporal):
    from google.protobuf.duration_pb2 import Duration
    from temporalio.api.workflowservice.v1 import RegisterNamespaceRequest

    client = await Client.connect(temporal)
    namespace = f"bare-{uuid.uuid4().hex[:8]}"
    await client.workflow_service.register_namespace(
        RegisterNamespaceRequest(
            namespace=namespace, workflow_execution_retention_period=Duration(seconds=86_400)
        )
    )
    await _until_known(client, namespace)
    code, _, err = await stack.moot("worker", "orchestrator", TEMPORAL_NAMESPACE=namespace)
    assert code == 1
    assert err.splitlines()[-1].endswith(
        "lacks FolkmootKind, FolkmootLevel, FolkmootRegion, FolkmootStatus; run `moot migrate`"
    )


async def test_no_temporal_is_refused_in_one_line(stack):
    code, _, err = await stack.moot("consensus", "show", "q", TEMPORAL_ADDRESS="127.0.0.1:1")
    assert code == 1
    assert len(err.splitlines()) == 1
    assert "no Temporal answers at 127.0.0.1:1" in err


async def _until_known(client: Client, namespace: str) -> None:
    from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
    from temporalio.service import RPCError

    async with asyncio.timeout(DEADLINE):
        while True:
            try:
                await client.workflow_service.describe_namespace(
                    DescribeNamespaceRequest(namespace=namespace)
                )
            except RPCError:
                await asyncio.sleep(0.1)
            else:
                return
