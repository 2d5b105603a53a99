"""Adds golden histories: run by hand against a dev server when a workflow learned something new.

    python -m tests.integration.workflows.record_histories ADDRESS

A history that is there already is never written again: deliberations that began under it must still replay.
"""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

from temporalio.client import Client, WorkflowFailureError, WorkflowHandle

from domain.consensus.docket_state import LEAST_SLICE
from domain.learning.budget.commands import Charge
from domain.learning.fleet import Announced
from domain.learning.fleet import Client as Trainee
from tests.integration.workflows.cases import LONG, Court, case, member
from tests.integration.workflows.conftest import Moot
from workers.budgets import TemporalBudgets
from workflows.names import ANNOUNCE_HOST, DECIDE_DOCKET, budget_stream, docket_stream, fleet_stream
from workflows.payloads import CONVERTER

FOLDER = Path(__file__).parents[2] / "golden" / "histories"


def recorded(moot: Moot, **policy: Any) -> dict[str, Any]:
    voters = [{"id": f"v{n}", "ballots": [{"choice": "a" if n < 4 else "b"}]} for n in range(5)]
    return {
        "id": moot.id("golden"),
        "question": "Which?",
        "options": ["a", "b"],
        "voters": voters,
        "policy": policy,
    }


async def one_recorded_round(moot: Moot) -> WorkflowHandle:
    handle = await moot.start(recorded(moot))
    await handle.result()
    return handle


async def two_live_rounds(moot: Moot) -> WorkflowHandle:
    node = moot.id("node")
    voters = [
        {"id": "x", "kind": "external"},
        {"id": "y", "kind": "external"},
        {"id": "v", "ballots": [{"choice": "a"}]},
    ]
    proposal = {
        **recorded(moot, threshold=0.9),
        "voters": [*voters, {"id": "r", "kind": "reasoner", "node": node}],
    }
    async with moot.thinking(node):
        handle = await moot.start(proposal)
        for number, choices in enumerate((("a", "b"), ("a", "a")), start=1):
            await moot.until(handle, round=number)
            for voter, choice in zip("xy", choices, strict=True):
                await handle.execute_update("cast_ballot", {"voter": voter, "choice": choice})
        await handle.result()
    return handle


async def mediated(moot: Moot) -> WorkflowHandle:
    handle = await moot.start(recorded(moot, threshold=1, otherwise="mediate"))
    await handle.result()
    return handle


async def ruled_by_a_person(moot: Moot) -> WorkflowHandle:
    handle = await moot.start(recorded(moot, threshold=1, otherwise="person"))
    await moot.until(handle, waits_for="person")
    await handle.execute_update("rule", {"choice": "b", "reason": "my own", "person": "judge"})
    await handle.result()
    return handle


async def handed_over(moot: Moot) -> WorkflowHandle:
    handle = await moot.start(recorded(moot), id=moot.id("ui"))
    await handle.result()
    return handle


async def refused(moot: Moot) -> WorkflowHandle:
    handle = await moot.start({**recorded(moot), "colour": "red"})
    try:
        await handle.result()
    except WorkflowFailureError:
        return handle
    raise AssertionError("it was not refused")


async def by_reputation(moot: Moot) -> WorkflowHandle:
    handle = await moot.start(recorded(moot, weighting="reputation"))
    await handle.result()
    return handle


async def withdrawn(moot: Moot) -> WorkflowHandle:
    """A ballot is under seal when the workflow is cancelled."""
    proposal = {
        **recorded(moot),
        "voters": [{"id": "x", "kind": "external"}, {"id": "y", "kind": "external"}],
    }
    handle = await moot.start(proposal)
    await handle.execute_update("cast_ballot", {"voter": "x", "choice": "a"})
    await handle.cancel()
    try:
        await handle.result()
    except WorkflowFailureError:
        return handle
    raise AssertionError("it was not cancelled")


async def a_docket(moot: Moot) -> WorkflowHandle:
    """Two slices and a model."""
    rows = [
        {"item": f"i{item}", "voter": f"v{voter}", "choice": "ab"[(item + voter) % 2]}
        for item in range(LEAST_SLICE + 1)
        for voter in range(2)
    ]
    request = {"id": moot.id("golden"), "ballots": rows, "policy": {"weighting": "posterior"}}
    handle = await moot.client.start_workflow(
        DECIDE_DOCKET, request, id=docket_stream(request["id"]), task_queue=moot.queue
    )
    await handle.result()
    return handle


CROWD = [member(number) for number in range(45)]


async def a_case_by_rule(moot: Moot) -> WorkflowHandle:
    request = case(moot.id("golden"), severity=0.2)
    request["positions"][1]["claim"] = '{"porter": "Kim"}'
    court = await Court.of(moot, request)
    await court.handle.result()
    return court.handle


async def a_case_appealed(moot: Moot) -> WorkflowHandle:
    """A level 1 that settles nothing, a panel, a growth, an appeal, a panel."""
    policy = {**LONG, "global_appeal_seconds": 0}
    court = await Court.of(moot, case(moot.id("golden"), CROWD, severity=0.2, policy=policy))
    await court.until(status="appealable", level=2)
    await court.tell("grow", positions=[{"id": "p3", "party": "cem", "claim": "8"}])
    await court.tell("appeal", party="bob", grounds="it overlooks the log")
    await court.handle.result()
    return court.handle


async def a_critical_case(moot: Moot) -> WorkflowHandle:
    """A reminder, a person's verdict, an annulment that is not granted, and the end of its window."""
    policy = {"reminder_seconds": 1, "annulment_seconds": 3}
    members = [{"id": f"m{number}", "kind": "external"} for number in range(18)]
    court = await Court.of(moot, case(moot.id("golden"), members, critical=True, policy=policy))
    await court.vote("p1")
    await court.until(status="person", reminders=1)
    await court.tell("verdict", verdict="p2", reason="I counted them", person="Pat")
    await court.tell("annul", party="bob", ground="no_reasons", statement="it says nothing")
    await court.vote("stand")
    await court.handle.result()
    return court.handle


async def a_cancelled_case(moot: Moot) -> WorkflowHandle:
    """Its ruling is open to appeal when the workflow is cancelled."""
    court = await Court.of(moot, case(moot.id("golden"), CROWD, policy=LONG))
    await court.until(status="appealable")
    await court.handle.cancel()
    try:
        await court.handle.result()
    except WorkflowFailureError:
        return court.handle
    raise AssertionError("it was not cancelled")


async def a_case_whose_panel_moved(moot: Moot) -> WorkflowHandle:
    """A stranger began the panel's deliberation first."""
    request = case(moot.id("golden"), CROWD)
    await moot.decide({**recorded(moot), "id": f"{request['id']}-level-2"})
    court = await Court.of(moot, request)
    await court.handle.result()
    return court.handle


async def a_case_annulled(moot: Moot) -> WorkflowHandle:
    members = [{"id": f"m{number}", "kind": "external"} for number in range(18)]
    request = case(moot.id("golden"), members, level=4, policy={"annulment_seconds": 600})
    court = await Court.of(moot, request)
    await court.vote("p1")
    await court.until(status="final")
    await court.tell("annul", party="bob", ground="no_reasons", statement="it says nothing")
    await court.vote("annul")
    await court.failed()
    return court.handle


async def a_person_who_never_came(moot: Moot) -> WorkflowHandle:
    """A reminder, the deadline, and the court's own ruling upheld."""
    policy = {"person_seconds": 2, "reminder_seconds": 1, "after_deadline": "uphold"}
    court = await Court.of(moot, case(moot.id("golden"), CROWD, critical=True, policy=policy))
    await court.handle.result()
    return court.handle


async def a_deadline_that_leaves_it_unresolved(moot: Moot) -> WorkflowHandle:
    policy = {"person_seconds": 2, "reminder_seconds": 1, "after_deadline": "unresolved"}
    court = await Court.of(moot, case(moot.id("golden"), CROWD, critical=True, policy=policy))
    await court.failed()
    return court.handle


async def a_held_case(moot: Moot) -> WorkflowHandle:
    """The deadline passes, and the person comes later."""
    policy = {"person_seconds": 1, "reminder_seconds": 600, "after_deadline": "hold"}
    court = await Court.of(moot, case(moot.id("golden"), CROWD, critical=True, policy=policy))
    await court.until(status="person", verdict_until=None)
    await court.tell("verdict", verdict="p2", reason="I counted them", person="Pat")
    await court.handle.result()
    return court.handle


async def a_failed_case(moot: Moot) -> WorkflowHandle:
    court = await Court.of(moot, case(moot.id("golden"), severity=0.2))
    await court.failed()
    return court.handle


async def an_announced_host(moot: Moot) -> WorkflowHandle:
    """One part of an announcement, looked up and written."""
    return await announced(moot, moot.id("golden"))


async def a_host_announced_before(moot: Moot) -> WorkflowHandle:
    """What is to be said stands already: it is looked up and not written."""
    host = moot.id("golden")
    moot.model.hosts[host] = (1, Announced(host, "eu", (Trainee("c1", (), ("logistic",)),)))
    return await announced(moot, host)


async def announced(moot: Moot, host: str) -> WorkflowHandle:
    client = {"id": "c1", "data": [], "trainers": ["logistic"]}
    said = {
        "counted": 0,
        "digest": "0" * 64,
        "announced": {"host": host, "region": "eu", "clients": [client]},
    }
    handle = await moot.client.start_workflow(
        ANNOUNCE_HOST, said, id=fleet_stream(host), task_queue=moot.queue
    )
    await handle.result()
    return handle


async def a_ledger(moot: Moot) -> WorkflowHandle:
    """The run that begins a ledger: two charges granted, one refused, one asked again."""
    budgets, ledger = TemporalBudgets(moot.client, moot.queue), moot.id("golden")
    noise = {"r1": 8.0, "r2": 8.0, "r3": 1.0, "r1 again": 8.0}
    for name, multiplier in noise.items():
        await budgets.charge(
            Charge(ledger, name.split()[0], ("ada", "ben", "ben"), multiplier, 1.0, 1, 1e-5, 1.5)
        )
    return moot.client.get_workflow_handle(budget_stream(ledger))


SCENES = (
    one_recorded_round,
    two_live_rounds,
    mediated,
    ruled_by_a_person,
    handed_over,
    refused,
    by_reputation,
    withdrawn,
    a_docket,
    a_case_by_rule,
    a_case_appealed,
    a_critical_case,
    a_failed_case,
    a_cancelled_case,
    a_case_whose_panel_moved,
    a_case_annulled,
    a_person_who_never_came,
    a_deadline_that_leaves_it_unresolved,
    a_held_case,
    an_announced_host,
    a_host_announced_before,
    a_ledger,
)


async def main(address: str) -> None:
    moot = Moot(await Client.connect(address, data_converter=CONVERTER))
    async with moot.working():
        for scene in SCENES:
            file = FOLDER / f"{scene.__name__}.json"
            if file.exists():
                continue
            history = json.loads((await (await scene(moot)).fetch_history()).to_json())
            file.write_text(json.dumps(_anonymous(history), indent=1) + "\n", "utf-8")
            sys.stdout.write(f"{file.name}\n")
    sys.stdout.flush()


def _anonymous(value: Any) -> Any:
    """Without the names of machines and processes, which no replay reads."""
    if isinstance(value, dict):
        own = {"identity"} | ({"name"} if value.get("kind") == "TASK_QUEUE_KIND_STICKY" else set())
        return {key: "golden" if key in own else _anonymous(item) for key, item in value.items()}
    return [_anonymous(item) for item in value] if isinstance(value, list) else value


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
    os._exit(0)  # the SDK may crash while the interpreter shuts down
