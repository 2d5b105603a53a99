"""Adds golden histories of cycles: run by hand against a dev server when the workflow learned something new.

    python -m tests.integration.learning.record_histories ADDRESS

A history that is there already is never written again: cycles that began under it must still replay.
"""

import asyncio
import json
import os
import sys
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from temporalio.client import Client, WorkflowFailureError, WorkflowHandle

from activities.privacy import plain
from activities.privacy.registry import Methods
from tests.fakes import toy_sum
from tests.fakes.artifacts import MemoryArtifacts
from tests.fakes.event_log import MemoryLog
from tests.fakes.learning import candidate
from tests.integration.learning.conftest import Fleet
from tests.integration.workflows.record_histories import FOLDER, _anonymous
from workflows.payloads import CONVERTER

SMALL = {"rounds": 2, "cohort": {"share": 1, "minimum": 3, "size": 4, "attempts": 2}}


async def a_cycle(fleet: Fleet) -> WorkflowHandle:
    handle = await fleet.start(await fleet.request(**SMALL))
    await handle.result()
    return handle


async def a_cycle_handed_on(fleet: Fleet) -> WorkflowHandle:
    """The last of its runs, which began with what the one before carried."""
    handle = await fleet.start(await fleet.request(**{**SMALL, "rounds": 3}, history=20))
    await handle.result()
    return fleet.client.get_workflow_handle(handle.id)


async def a_cycle_with_messages(fleet: Fleet) -> WorkflowHandle:
    handle = await fleet.start(await fleet.request(**SMALL, privacy={"method": "secure_mpc"}))
    await handle.result()
    return handle


async def a_cycle_in_shards(fleet: Fleet) -> WorkflowHandle:
    many = {"share": 1, "minimum": 120, "size": 120}
    handle = await fleet.start(await fleet.request(rounds=1, cohort=many))
    await handle.result()
    return handle


async def a_cycle_abandoned(fleet: Fleet) -> WorkflowHandle:
    """Everybody is asked, and one is always missing."""
    fleet.roster.there.append(candidate("x", fleet.host(0), trainers=fleet.trainers.names()))
    everybody = {"share": 1, "minimum": len(fleet.roster.there), "attempts": 2}
    return await _failing(await fleet.start(await fleet.request(cohort=everybody)))


async def a_cycle_withdrawn(fleet: Fleet) -> WorkflowHandle:
    """It is cancelled while a host that is not there is waited for."""
    fleet.roster.there.append(candidate("y", "nowhere", trainers=fleet.trainers.names()))
    everybody = {"share": 1, "minimum": len(fleet.roster.there)}
    handle = await fleet.start(await fleet.request(cohort=everybody))
    while (await handle.query("state"))["status"] != "training":
        pass
    await handle.cancel()
    return await _failing(handle)


async def _failing(handle: WorkflowHandle) -> WorkflowHandle:
    try:
        await handle.result()
    except WorkflowFailureError:
        return handle
    raise AssertionError("it did not fail")


SCENES = (
    a_cycle,
    a_cycle_handed_on,
    a_cycle_with_messages,
    a_cycle_in_shards,
    a_cycle_abandoned,
    a_cycle_withdrawn,
)


async def main(address: str, folder: Path = FOLDER) -> None:
    client = await Client.connect(address, data_converter=CONVERTER)
    for scene in SCENES:
        file = folder / f"{scene.__name__}.json"
        if file.exists():
            continue
        history = json.loads((await (await _played(scene, client)).fetch_history()).to_json())
        file.write_text(json.dumps(_anonymous(history), indent=1) + "\n", "utf-8")
        sys.stdout.write(f"{file.name}\n")
    sys.stdout.flush()


async def _played(scene: Any, client: Client) -> WorkflowHandle:
    async with AsyncExitStack() as held:
        fleet = Fleet(
            client,
            MemoryLog(),
            MemoryArtifacts(),
            ("", ""),
            clients=120 if scene is a_cycle_in_shards else 6,
            methods=lambda journal: Methods([plain.installed(), toy_sum.installed(journal)]),
        )
        for worker in (fleet.orchestrating(), *(fleet.hosting(n) for n in range(fleet.hosts))):
            await held.enter_async_context(worker)
        return await scene(fleet)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
    os._exit(0)  # the SDK may crash while the interpreter shuts down
