"""Shared context: what it takes in, how soon it is read here and elsewhere, and what its rules cost."""

import asyncio
from collections.abc import Sequence

from bench import context_cost, context_flow
from bench.context_flow import Latencies, Sustained
from bench.figure import Figure
from bench.servers import servers

SECONDS = 60.0
PACED = 20.0  # seconds


def figures(seconds: float = SECONDS, paced: float = PACED) -> list[Figure]:
    """First what needs no server; then a Kafka and a Postgres of our own, anew for each flow."""
    return [*costs(), *asyncio.run(_flows(seconds, paced))]


def costs() -> list[Figure]:
    found = []
    for layer in context_cost.layers():
        rate = context_cost.merges_per_second(layer)
        found.append(
            Figure(
                f"merges, {layer}",
                rate,
                "merges/s",
                100_000,
                note="two edits of a small value; CPU of a core",
            )
        )
    for layer in context_cost.layers():
        ratio = context_cost.settled_of_plain(layer)
        note = "CPU of a core, decoded to row"
        found.append(Figure(f"conflict settled by rule, {layer}, of a plain write", ratio, "", 2, "<=", note))
    return found


async def _flows(seconds: float, paced: float) -> list[Figure]:
    with servers() as (kafka, database_url):
        async with context_flow.flowing(kafka, database_url, ["eu"]) as settings:
            all_of = await context_flow.sustained(settings, seconds)
    with servers() as (kafka, database_url):
        async with context_flow.flowing(kafka, database_url, ["eu"]) as settings:
            here = await context_flow.latency(settings, "eu", 2_000, paced)
    with servers() as (kafka, database_url):
        async with context_flow.flowing(kafka, database_url, ["eu", "us"]) as settings:
            there = await context_flow.latency(settings, "us", 500, paced)
    return told(all_of, here, there, seconds)


def told(all_of: Sustained, here: Latencies, there: Latencies, seconds: float) -> list[Figure]:
    """The figures that were asked for, out of what was measured."""
    note = f"{all_of.writes:,} writes in {seconds:.0f} s, of 20,000 keys in turn, everything on this machine"
    late = f"the last {all_of.behind:.1f} s after it was accepted"
    found = f"of {all_of.met:,} keys that a second node wrote, too"
    return [
        Figure("context writes accepted, one region", all_of.accepted, "writes/s", 10_000, note=note),
        Figure("context writes accepted and projected", all_of.projected, "writes/s", 10_000, note=late),
        Figure(
            "keys with a conflict that was detected", all_of.conflicts, "keys", 0.9 * all_of.met, note=found
        ),
        *_latency("put to readable at 2,000/s", here),
        *_latency("put to readable in another region at 500/s, immediate", there),
    ]


def _latency(name: str, found: Latencies) -> Sequence[Figure]:
    slowest = f"of {len(found.seconds):,}; slowest {max(found.seconds) * 1000:,.0f} ms"
    return [Figure(f"{name}, p99", found.p99() * 1000, "ms", 500, "<=", slowest)]
