"""The learning part of the demo: twenty nodes learn digits by several rules, and some die, hide or lie."""

import secrets
import tempfile
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Any

from cli import demo_environment, demo_learning_audit, demo_learning_data
from cli import demo_learning_report as report
from cli.demo_audit import Shell
from cli.demo_consensus import Demo
from cli.demo_learning_faults import DROPOUTS, LIARS, Faults
from cli.demo_learning_fleet import Fleet, megabytes
from cli.demo_learning_node import STRENGTH
from cli.demo_learning_runs import Cycles, Plan
from cli.demo_waiting import until
from cli.output import columns, folded
from projections.learning_queries import LearningQueries
from workers.embedded import stackfile
from workers.roster import PostgresRoster
from workers.settings import load
from workers.temporal_client import connect

FEDAVG = Plan("fedavg", "FedAvg")
KILLED = Plan("fedavg-killed", "FedAvg, killed")
FEDPROX = Plan("fedprox", "FedProx", {"strategy": {"name": "fedprox", "settings": {"mu": 0.1}}})
PRIVATE = Plan("private", "FedAvg, epsilon 3", {"rounds": 4})
EPSILON = 3.0
SECURE = Plan(
    "secure",
    "FedAvg, secure sum",
    {
        "rounds": 3,
        "privacy": {"method": "secure_mpc", "clip": 10.0},
        "local": {"epochs": 5, "batch": 10, "learning_rate": 0.5, "seconds": 5},
    },
)
ATTACKED = Plan("attacked", "FedAvg, 4 lie", {"rounds": 4})
ROBUST = Plan(
    "robust",
    "multi-Krum, 4 lie",
    {"rounds": 4, "strategy": {"name": "multi_krum", "settings": {"byzantine": len(LIARS)}}},
)


def environment() -> AbstractContextManager[Path]:
    """Settings of its own for this process and all that it starts; yields the folder of the stack's state."""
    return demo_environment.own("learning-demo", {})


async def show(
    stack: dict[str, Any], fleet: Fleet, holdout: demo_learning_data.Rows, *, quiet: bool
) -> dict[str, Any]:
    """Every run in order; returns what was found."""
    settings = load()
    demo = Demo(secrets.token_hex(3), str(stack.get("ui") or ""), settings, await connect(settings), quiet)
    memory = await _there(demo, fleet)
    async with LearningQueries(settings.database_url) as tables:
        found = await _runs(demo, await Cycles.on(demo, tables, holdout), Faults(demo, fleet))
    demo.say("\n5. What it came to\n" + report.table(found) + "\n" + _read())
    plots = report.plots(found, settings.data / "plots" / demo.run)
    demo.say(f"   loss and accuracy by round: {', '.join(_shown(one) for one in plots)}")
    demo.say("\n6. The versions, and the audit: trust nothing that cannot be recomputed")
    with tempfile.TemporaryDirectory(prefix="moot-demo-") as folder:
        shell = Shell(demo.say, folder)
        await shell.run("learn", "models")
        ran = {name: one["cycle"] for name, one in found.items() if "refused" not in one}
        if PRIVATE.name in ran:
            await shell.run("learn", "budget", _ledger(demo), "--limit", "3")
        audit = await demo_learning_audit.show(shell, Path(settings.artifacts), ran)
    return {
        "run": demo.run,
        "memory_megabytes": memory,
        "runs": {name: report.figures(one) for name, one in found.items()},
        "same_digest_after_kills": found[KILLED.name]["digest"] == found[FEDAVG.name]["digest"],
        "plots": [str(one) for one in plots],
        "audit": audit,
    }


async def _there(demo: Demo, fleet: Fleet) -> dict[str, float]:
    """Wait until cohorts can be drawn from all nodes; the memory of all processes by then, in megabytes."""
    async with PostgresRoster(demo.settings.database_url) as roster:

        async def announced() -> bool:
            known = {one.client.id for one in await roster.candidates()}
            return known >= demo_learning_data.names().keys()

        await until("every node to be in the fleet", announced)
    parts = (stackfile.read(demo.settings.data) or {})["parts"].values()
    memory = {
        "nodes": megabytes(fleet.pids().values()),
        "stack": megabytes(one["pid"] for one in parts if one["pid"]),
    }
    regions = sorted(set(demo_learning_data.names().values()))
    demo.say(
        f"\n1. {len(fleet.pids())} nodes in {', '.join(regions)} are in the fleet, each a process with"
        f" {demo_learning_data.SHARDS} shards of digits that it alone reads"
    )
    if memory["nodes"]:
        demo.say(f"   memory: the nodes {memory['nodes']:,.0f} MB, the stack {memory['stack']:,.0f} MB")
    return memory


async def _runs(demo: Demo, cycles: Cycles, faults: Faults) -> dict[str, dict[str, Any]]:
    demo.say("\n2. The same seeds twice, the second time with kill -9 in the middle; then FedProx")
    found = {FEDAVG.name: await cycles.run(FEDAVG)}
    found[KILLED.name] = await cycles.run(KILLED, faults.in_the_middle)
    digests = [found[plan.name]["digest"] for plan in (FEDAVG, KILLED)]
    how = "the same" if digests[0] == digests[1] else "ANOTHER"
    demo.say(f"   undisturbed {digests[0][:24]}, killed {digests[1][:24]}: {how} model")
    found[FEDPROX.name] = await cycles.run(FEDPROX)
    demo.say(
        f"\n3. Epsilon {EPSILON:g} for each node; then sums of which nobody sees a part; two nodes drop out"
    )
    found[PRIVATE.name] = await cycles.run(_private(demo))
    if refused := found[PRIVATE.name].get("refused"):
        demo.say(f"     refused: {refused}")
    dropouts = partial(faults.dropouts, last=SECURE.more["rounds"])
    found[SECURE.name] = await cycles.run(SECURE, dropouts)
    demo.say(
        f"\n4. {len(LIARS)} nodes are taken over ({', '.join(LIARS)}):"
        f" they send {-STRENGTH:g} times their change; the mean, and multi-Krum"
    )
    await faults.taken_over()
    for plan in (ATTACKED, ROBUST):
        found[plan.name] = await cycles.run(plan)
    return found


def _private(demo: Demo) -> Plan:
    """With a ledger of this run: what an earlier one has spent is spent."""
    privacy = {
        "method": "differential_privacy",
        "epsilon": EPSILON,
        "delta": 1e-3,
        "clip": 4.0,
        "ledger": _ledger(demo),
        "budget": EPSILON,
    }
    return Plan(PRIVATE.name, PRIVATE.title, {**PRIVATE.more, "privacy": privacy})


def _ledger(demo: Demo) -> str:
    return f"demo-{demo.run}"


def _read() -> str:
    return folded(
        "   bytes sent: the updates of all rounds; raw bytes: all rows, sent once to one place;"
        f" secure sum: {len(DROPOUTS)} nodes died in its last round",
        columns(),
    )


def _shown(file: Path) -> str:
    return str(file.relative_to(Path.cwd()) if file.is_relative_to(Path.cwd()) else file)
