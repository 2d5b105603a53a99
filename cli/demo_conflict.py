"""The conflict part of the demo: write apart, heal, settle; every line it prints comes from that run."""

import json
import os
import secrets
import signal
import tempfile
from collections import Counter
from collections.abc import Mapping
from contextlib import AbstractContextManager, AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from cli import demo_conflict_report as report
from cli import demo_environment, demo_timezones
from cli.demo_audit import Shell
from cli.demo_conflict_cases import Cases
from cli.demo_consensus import Demo
from cli.demo_timezones import READERS, REGION_OF, REGIONS, UNASKING, Statement
from cli.demo_waiting import WAIT_SECONDS, until
from cli.output import columns, folded
from cli.regions import hashes
from domain.refusal import Refusal
from projections.context_hash import RegionHash
from workers import context_policy, reaction_file
from workers.context_client import ContextClient
from workers.context_reading import Found
from workers.embedded import stackfile
from workers.settings import load
from workers.temporal_client import connect
from workflows import names

Clients = Mapping[str, ContextClient]


def environment() -> AbstractContextManager[Path]:
    """Settings of its own for this process and all that it starts; yields the folder of the stack's state."""
    return demo_environment.own(
        "conflict-demo",
        {
            context_policy.VARIABLE: str(demo_timezones.CONTEXT_POLICY),
            reaction_file.VARIABLE: str(demo_timezones.CONFLICT_POLICY),
        },
    )


async def show(stack: dict[str, Any], *, quiet: bool) -> dict[str, Any]:
    """Every step in order; returns what was found."""
    settings = load()
    demo = Demo(secrets.token_hex(3), str(stack.get("ui") or ""), settings, await connect(settings), quiet)
    async with AsyncExitStack() as held:
        clients = {}
        for node, region in REGION_OF.items():
            own = replace(settings, database_url="") if node == UNASKING else settings
            clients[node] = await held.enter_async_context(ContextClient(own, region, node))
        folder = held.enter_context(tempfile.TemporaryDirectory(prefix="moot-demo-"))
        shell = Shell(demo.say, folder)
        apart = await _apart(demo, clients)
        healed, read = await _healed(demo, clients)
        cases = Cases(demo, shell, Path(folder), clients)
        settled = await cases.settle(read)
        together = await _together(demo, clients, settled)
    demo.say("\n5. The trail of the appealed case, and everything verified")
    appealed = next(case for case in settled if case["appeals"])
    stream = names.conflict_stream(appealed["case"])
    await shell.run("audit", "trail", stream)
    trail = json.loads(await shell.run("audit", "trail", stream, "--json", quiet=True))
    await shell.run("audit", "verify")
    return {
        "run": demo.run,
        "apart": apart,
        "healed": healed,
        "rules": report.by_rule(read),
        "cases": settled,
        "together": together,
        "trail": [event["type"] for event in trail],
        "verified": True,
    }


async def _apart(demo: Demo, clients: Clients) -> dict[str, Any]:
    """Write in all regions while nothing passes between them; what each then has."""
    said = demo_timezones.statements()
    demo.say(
        "\n1. What distributions of the time zone database say (examples/timezones), by region:\n"
        + "\n".join(f"   {region:<7} {', '.join(nodes)}" for region, nodes in report.nodes().items())
    )
    first = [one for one in said if one.before]
    await _write(demo, clients, first)
    keys = {(one.layer, _key(demo, one.key)) for one in first}
    await until("a first write to reach every region", lambda: _present(clients, keys))
    demo.say(f"   {len(first)} statement of release {first[0].release} is in all regions")
    demo.say(f"   keys of this run begin with {demo.run}/")
    equal = await until("the regions to be equal at first", lambda: _equal(demo))
    before = {one.region: one.writes for one in equal}
    now = [one for one in said if not one.before]
    _cut(demo, signal.SIGSTOP)
    try:
        demo.say("\n2. The replicator is held: no link between the regions passes anything on")
        await _write(demo, clients, now)
        own = Counter(REGION_OF[one.node] for one in now)
        by_layer = Counter(one.layer for one in now)
        demo.say(f"   {len(now)} writes: {', '.join(f'{n} {layer}' for layer, n in by_layer.items())}")

        async def projected() -> list[RegionHash] | None:
            found = await _hashes(demo)
            return found if all(h.writes == before[h.region] + own[h.region] for h in found) else None

        found = await until("each region to read its own writes and no other", projected)
        demo.say(report.hashes(found))
        await _names_apart(demo, clients)
    finally:
        _cut(demo, signal.SIGCONT)
    return report.digests(found) | {"writes": len(now), "layers": dict(by_layer)}


async def _names_apart(demo: Demo, clients: Clients) -> None:
    key = _key(demo, "name/Europe/Kyiv")
    for node in ("python-tzdata", "icu"):
        read = await clients[node].get("cultural", key)
        demo.say(f"   {read.region:<7} reads name/Europe/Kyiv as {read.value}")


async def _healed(demo: Demo, clients: Clients) -> tuple[dict[str, Any], dict[str, Found]]:
    """Wait until all regions have all writes; what they have, and what each key is settled to."""
    demo.say("\n3. The replicator goes on, and each layer is passed on when its turn comes")
    found = await until("the regions to converge", lambda: _equal(demo))
    demo.say(report.hashes(found))
    read = {}
    for one in demo_timezones.statements():
        if not one.before and one.key not in read:
            read[one.key] = await clients["icu"].get(one.layer, _key(demo, one.key))
    demo.say(folded(report.settled(read), columns()))
    return report.digests(found), read


async def _together(demo: Demo, clients: Clients, settled: list[dict[str, Any]]) -> dict[str, Any]:
    """Wait until every region reads every ruling."""

    async def ruled() -> bool:
        for case in settled:
            for node in READERS:
                read = await clients[node].get(case["layer"], case["context"])
                if read.version != f"case.{case['case']}:1":
                    return False
        return True

    await until("every ruling to reach every region", ruled)
    found = await until("the regions to converge", lambda: _equal(demo))
    demo.say("\n   The rulings are writes of their own, and have reached all regions:")
    demo.say(report.hashes(found))
    return report.digests(found)


async def _write(demo: Demo, clients: Clients, said: list[Statement]) -> None:
    """Every statement; the node that asks nobody comes last, and still has read nothing of the others."""
    for node in (*READERS, UNASKING):
        mine = [demo_timezones.put(one, _key(demo, one.key)) for one in said if one.node == node]
        for outcome in await clients[node].put_many(mine) if mine else ():
            if isinstance(outcome, Refusal):
                raise outcome
    for node, client in clients.items():
        if left := await client.drained(WAIT_SECONDS):
            raise Refusal(node, f"{left} writes have not reached the log: {client.waiting_for}")


async def _present(clients: Clients, keys: set[tuple[str, str]]) -> bool:
    return all([(await clients[node].get(*key)).present for key in keys for node in READERS])


async def _equal(demo: Demo) -> list[RegionHash] | None:
    found = await _hashes(demo)
    return found if len({one.digest for one in found}) == 1 else None


async def _hashes(demo: Demo) -> list[RegionHash]:
    return await hashes(demo.settings, REGIONS, context_policy.load())


def _cut(demo: Demo, how: signal.Signals) -> None:
    """Hold the replicator, or let it go on: a process that is stopped passes nothing on and loses nothing."""
    stack = stackfile.read(demo.settings.data)
    pid = stack["parts"]["replicator"]["pid"] if stack else None
    if pid is None:
        raise Refusal("replicator", "is not running just now; see the stack's log folder")
    os.kill(pid, how)


def _key(demo: Demo, key: str) -> str:
    """Of this run: an earlier one in the same folder has settled its own."""
    return f"{demo.run}/{key}"
