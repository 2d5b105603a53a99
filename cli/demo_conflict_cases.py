"""The cases of the conflict demo: one ended at each level; members vote as what their region has says."""

import asyncio
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from temporalio.client import WorkflowHandle
from temporalio.service import RPCError, RPCStatusCode

from cli import demo_timezones
from cli.demo_audit import Shell
from cli.demo_consensus import Demo
from cli.demo_waiting import until
from domain.conflict.case import ContextKey
from domain.conflict.coalescing import case_id
from domain.conflict.result import ConflictResult
from domain.consensus.commands import CastBallot
from domain.refusal import Refusal
from domain.strict_json import printable
from workers.context_client import ContextClient
from workers.context_reading import Found
from workflows import names
from workflows.rounds import BallotReceipt

PERSON = "demo"
_BROUGHT = "name/Asia/Kolkata"
_REGIONAL, _APPEALED, _CRITICAL = "zone/Asia/Tehran", "zone/Europe/Amsterdam", "zone/Europe/Dublin"
Handle = WorkflowHandle[Any, ConflictResult]


class Cases:
    """Takes what no rule settled through the levels; `clients` are the demo's nodes."""

    def __init__(self, demo: Demo, shell: Shell, folder: Path, clients: Mapping[str, ContextClient]) -> None:
        self._demo, self._shell, self._folder, self._clients = demo, shell, folder, clients

    async def settle(self, read: Mapping[str, Found]) -> list[dict[str, Any]]:
        """One case at each level; `read` is what each key was read as before. What each came to."""
        say = self._demo.say
        say("\n4. What no rule settles is a case; one more is brought, though a rule settled it")
        say("   Members vote as the distribution in their region says, and abstain where it does not tell:")
        say("   the demo casts these ballots, from examples/timezones/votes.json.")
        regional, appealed, critical = [self._opened(read[key]) for key in (_REGIONAL, _APPEALED, _CRITICAL)]
        brought = asyncio.create_task(self._bring(read[_BROUGHT]))
        await self._vote(regional, _REGIONAL, 2)
        await self._vote(appealed, _APPEALED, 2)
        await self._appeal(appealed)
        await self._vote(appealed, _APPEALED, 3)
        await self._vote(critical, _CRITICAL, 4)
        await self._rule(critical)
        handles = {
            _BROUGHT: await brought,
            _REGIONAL: regional,
            _APPEALED: appealed,
            _CRITICAL: critical,
        }
        return [await self._ended(key, read[key], handle) for key, handle in handles.items()]

    def _opened(self, read: Found) -> Handle:
        """The case that the reactor opens about the key, whose id follows from it."""
        return self._handle(case_id(ContextKey(read.layer, read.key), 1))  # type: ignore[arg-type] # a layer

    def _handle(self, case: str) -> Handle:
        stream = names.conflict_stream(case)
        return self._demo.client.get_workflow_handle(stream, result_type=ConflictResult)

    async def _bring(self, read: Found) -> Handle:
        """Level 1: a party has a rule's outcome ruled on, so that one write stands instead of siblings."""
        case = f"name-{self._demo.run}"
        file = self._folder / "case.json"
        file.write_text(json.dumps(_case(case, read)))
        await self._shell.run("conflict", "open", str(file))
        return self._handle(case)

    async def _vote(self, handle: Handle, key: str, level: int) -> None:
        """Cast the ballots of the panel of `level`."""
        state = await self._state(handle, "panel", level)
        claims = {one["id"]: one["claim"] for one in state["positions"]}
        panel = self._demo.client.get_workflow_handle(state["deliberation"])
        await until(f"{panel.id} to open its round", lambda: _look(panel, lambda now: now["round"] >= 1))
        said = demo_timezones.says()[key]
        ballots = [_ballot(member, said, claims) for member in state["panel"]]
        await asyncio.gather(
            *(panel.execute_update(names.CAST_BALLOT, one, result_type=BallotReceipt) for one in ballots)
        )
        self._demo.say(f"   {key}, level {level}: {len(ballots)} members vote {_counted(ballots)}")

    async def _appeal(self, handle: Handle) -> None:
        """The party that lost at level 2 takes the case to level 3."""
        state = await self._state(handle, "appealable", 2)
        won = state["rulings"][-1]["choice"]
        loser = next(one["party"] for one in state["positions"] if one["id"] != won)
        grounds = "since release 2022b the zone is a link to Europe/Brussels in the default build"
        await self._shell.run("conflict", "appeal", state["id"], "--as", loser, "--grounds", grounds)

    async def _rule(self, handle: Handle) -> None:
        """Speak the person's verdict, and say that it is the demo who speaks it."""
        state = await self._state(handle, "person", 4)
        told = (await handle.query("explain")).splitlines()
        opinion = next(line for line in told if line.startswith("The mediator"))
        self._demo.say(f"   on the record: {opinion}")
        self._demo.say("   the case is critical and waits for a person; here the demo speaks that verdict:")
        verdict = next(one["id"] for one in state["positions"] if one["party"] == "python-tzdata")
        reason = "Irish law calls the summer time standard, and the winter time an exception from it"
        words = ("--verdict", verdict, "--reason", reason, "--as", PERSON)
        await self._shell.run("conflict", "rule", state["id"], *words)

    async def _ended(self, key: str, read: Found, handle: Handle) -> dict[str, Any]:
        await until(f"{handle.id} to end", lambda: _look(handle, lambda now: now["outcome"] is not None))
        result, state = await handle.result(), await handle.query("state")
        if result.applied is None:
            raise Refusal(handle.id, f"its ruling was not applied: {result.unapplied}")
        said = printable(result.resolution, 100)
        climbed = f"level {result.level_used - result.escalations} to {result.level_used}"
        level = climbed if result.escalations else f"level {result.level_used}"
        self._demo.say(
            f"   {level}, by {result.authority}: {key} is {said}\n     {self._demo.link(handle.id)}"
        )
        return {
            "key": key,
            "layer": read.layer,
            "context": read.key,
            "case": result.id,
            "initial_level": state["initial_level"],
            "level_used": result.level_used,
            "escalations": result.escalations,
            "appeals": [one["cause"] for one in state["escalations"]].count("appeal"),
            "authority": result.authority,
            "final_authority": result.final_authority,
            "resolution": result.resolution,
        }

    async def _state(self, handle: Handle, status: str, level: int) -> dict[str, Any]:
        """The state of the case once it is there; of a panel, once it deliberates."""

        def there(now: dict[str, Any]) -> bool:
            sits = status != "panel" or now["deliberation"] is not None
            return (now["status"], now["level"]) == (status, level) and sits

        return await until(f"{handle.id} at {status} of level {level}", lambda: _look(handle, there))


def _case(case: str, read: Found) -> dict[str, Any]:
    regions = [write.region for write in read.siblings]
    return {
        "id": case,
        "question": f"Which name has {read.key.partition('/')[2].removeprefix('name/')}?",
        "regions": [one for one in demo_timezones.REGIONS if one in regions],
        "kind": "regional",
        "layer": read.layer,
        "severity": 0.2,
        "topic": "context",
        "context": {"layer": read.layer, "key": read.key},
        "positions": [
            {
                "id": f"{write.node}-{write.counter}",
                "party": write.writer,
                "claim": json.dumps(write.value),
                "region": write.region,
                "dot": {"node": write.node, "counter": write.counter},
            }
            for write in read.siblings
        ],
        "policy": {"local_appeal_seconds": 1},
    }


def _ballot(member: str, said: Mapping[str, Any], claims: Mapping[str, str]) -> CastBallot:
    region = member.rpartition("-")[0]
    choice = demo_timezones.ballot(said[region], claims) if region in said else None
    told = f"says {json.dumps(said[region])}" if region in said else "does not tell"
    return CastBallot(member, choice, None, f"the distribution in {region} {told}", 1)


def _counted(ballots: list[CastBallot]) -> str:
    choices = [one.choice or "none" for one in ballots]
    return ", ".join(f"{choice} {choices.count(choice)}" for choice in dict.fromkeys(choices))


async def _look(
    handle: WorkflowHandle[Any, Any], wanted: Callable[[dict[str, Any]], bool]
) -> dict[str, Any] | None:
    """The workflow's state if it is as `wanted`; None also where the workflow has not been started yet."""
    try:
        state: dict[str, Any] = await handle.query("state")
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        return None
    return state if wanted(state) else None
