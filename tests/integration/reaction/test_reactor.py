"""Concurrent writes that no rule settles open a case by themselves, and its ruling converges everywhere."""

import uuid
from datetime import timedelta

from domain.causality.causal_context import Dot
from domain.conflict.case import ContextKey
from domain.conflict.coalescing import case_id
from domain.conflict.reaction import home_region
from domain.context.events import stream_of
from tests.integration.reaction.conftest import REGIONS
from tests.unit.domain.context.given import wrote
from workers.gone_cases import GoneCases


def key():
    """Workflow ids are made of keys, and the server is shared."""
    return f"ward/{uuid.uuid4().hex}"


def pair(name, one=None, other=None, **fields):
    fields = {"key": name, "layer": "situational", "ttl_ms": None} | fields
    return (
        wrote("eu-1:1", one or {"beds": 9}, region="eu", **fields),
        wrote("us-1:1", other or {"beds": 7}, region="us", **fields),
    )


async def held(bed, name):
    """What each region has of the key."""
    streams = {region: stream_of(region, "situational", name) for region in REGIONS}
    entries = await bed.tables.entries(list(streams.values()))
    return {region: entries.get(stream) for region, stream in streams.items()}


async def test_siblings_open_a_case_by_themselves_and_its_ruling_stands_everywhere(bed):
    name = key()
    async with bed.reacting():
        await bed.write(*pair(name))

        async def resolved():
            return await bed.cases("resolved")

        await bed.until(resolved)
        home = home_region("situational", name, REGIONS)

        async def applied():
            entry = (await held(bed, name))[home]
            return len(entry.siblings) == 1

        await bed.until(applied)
        ruling = (await held(bed, name))[home].siblings[0]
        case = case_id(ContextKey("situational", name), 1)
        assert (ruling.value, ruling.node, ruling.region) == ({"beds": 9}, f"case.{case}", home)
        assert ruling.seen == {"eu-1": 1, "us-1": 1}
        await bed.write(ruling, regions=[region for region in REGIONS if region != home])

        async def everywhere():
            return all(entry.siblings == (ruling,) for entry in (await held(bed, name)).values())

        await bed.until(everywhere)
    ((stream, _, dots),) = await bed.cases()
    assert (stream, dots) == (f"conflict/{case}", "eu-1:1,us-1:1")
    result = await bed.client.get_workflow_handle(stream).result()
    assert result["applied"] is not None
    assert result["unapplied"] is None


async def test_an_open_case_grows_and_a_reactor_that_was_killed_opens_nothing_twice(bed):
    name = key()
    one, other = pair(name, flags=("personality_critical",))
    async with bed.reacting():
        await bed.write(one, other)

        async def waits():
            return await bed.cases("person")

        await bed.until(waits)
    async with bed.reacting():  # another, which remembers nothing
        third = wrote("asia-1:1", {"beds": 1}, region="asia", key=name, layer="situational", ttl_ms=None)
        await bed.write(third)

        async def grown():
            return [dots for _, _, dots in await bed.cases() if dots == "asia-1:1,eu-1:1,us-1:1"]

        await bed.until(grown)
    ((stream, _, _),) = await bed.cases()
    verdict = {"verdict": "us-1-1", "reason": "counted", "person": "Pat"}
    await bed.client.get_workflow_handle(stream).execute_update("verdict", verdict)
    home = home_region("situational", name, REGIONS)

    async def ruled():
        return any(write.case for write in (await held(bed, name))[home].siblings)

    await bed.until(ruled)
    siblings = (await held(bed, name))[home].siblings
    assert {write.dot for write in siblings} >= {Dot("asia-1", 1)}  # it came too late to be heard
    assert {"beds": 7} in [write.value for write in siblings]


async def waiting_for_a_person(bed, name):
    await bed.write(*pair(name, flags=("personality_critical",)))

    async def waits():
        return await bed.cases("person")

    await bed.until(waits)
    ((stream, _, _),) = await bed.cases()
    return bed.client.get_workflow_handle(stream)


def third(name, number=1):
    return wrote(f"asia-1:{number}", {"beds": 1}, region="asia", key=name, layer="situational", ttl_ms=None)


async def the_next_case(bed, name, first):
    """What a further conflict on the key opens, once it is on the tables."""
    await bed.write(third(name))

    async def opened():
        return [case for case in await bed.cases("person") if case[0] != first]

    await bed.until(opened)
    ((stream, _, dots),) = await opened()
    assert stream == f"conflict/{case_id(ContextKey('situational', name), 2)}"
    assert dots == "asia-1:1,eu-1:1,us-1:1"
    await bed.client.get_workflow_handle(stream).terminate()  # else the next reactor counts it


async def test_a_case_that_was_cancelled_gives_its_key_and_its_only_place_to_the_next(bed):
    name = key()
    async with bed.reacting(open_cases=1):
        handle = await waiting_for_a_person(bed, name)
        await handle.cancel()

        async def withdrawn():
            return await bed.cases("withdrawn")

        await bed.until(withdrawn)
        await the_next_case(bed, name, handle.id)


async def test_a_case_that_was_terminated_gives_its_key_and_its_only_place_to_the_next(bed):
    name = key()
    reactor = bed.reactor(gone=GoneCases(every=0, ended_for=timedelta()), open_cases=1)
    async with bed.reacting(reactor):
        handle = await waiting_for_a_person(bed, name)
        await handle.terminate("by hand")
        await the_next_case(bed, name, handle.id)
    cases = {stream: status for stream, status, _ in await bed.cases()}
    assert cases[handle.id] == "person"  # on the log it is open: only Temporal knows how it ended


async def test_an_open_case_that_temporal_knows_nothing_of_is_gone_and_one_that_runs_is_not(bed):
    async with bed.reacting():
        handle = await waiting_for_a_person(bed, key())

    async def client():
        return bed.client

    look = GoneCases(every=0)
    assert await look.among({handle.id, "conflict/c-none"}, client) == {"conflict/c-none"}
    await handle.terminate()
    assert await look.among({handle.id}, client) == frozenset()  # what it wrote may not be projected yet


async def test_a_merge_that_only_the_past_allows_is_written_and_opens_no_case(bed):
    name = key()
    fields = {"key": name, "layer": "situational", "ttl_ms": None}
    base = wrote("eu-1:1", {"beds": 9, "nurses": 3}, region="eu", wall=1_000, **fields)
    others = [  # so many later ones that a key no longer keeps the one where the siblings parted
        wrote(
            f"eu-1:{n}", {"beds": 9, "nurses": n}, seen=f"eu-1:{n - 1}", region="eu", wall=1_000 + n, **fields
        )
        for n in range(2, 6)
    ]
    late = wrote("us-1:1", {"beds": 8, "nurses": 3}, seen="eu-1:1", region="us", wall=2_000, **fields)
    async with bed.reacting():
        await bed.write(base, *others, late)
        home = home_region("situational", name, REGIONS)

        async def merged():
            entry = (await held(bed, name))[home]
            return entry is not None and any(write.node.startswith("merge.") for write in entry.siblings)

        await bed.until(merged)
    (write,) = (await held(bed, name))[home].siblings
    assert write.value == {"beds": 8, "nurses": 5}
    assert await bed.cases() == []


async def test_a_merge_that_is_too_large_to_be_shared_stops_no_other_key(bed):
    name, other = key(), key()
    fields = {"key": name, "layer": "situational", "ttl_ms": None}
    base = wrote("eu-1:1", {"a": "", "b": ""}, region="eu", wall=1_000, **fields)
    later = [
        wrote(
            f"eu-1:{n}",
            {"a": "x" * 40_000, "b": ""},
            seen=f"eu-1:{n - 1}",
            region="eu",
            wall=1_000 + n,
            **fields,
        )
        for n in range(2, 6)
    ]
    late = wrote("us-1:1", {"a": "", "b": "y" * 40_000}, seen="eu-1:1", region="us", wall=2_000, **fields)
    await bed.write(base, *later, late)

    async def undecided():
        return await bed.tables.waiting()

    await bed.until(undecided)
    async with bed.reacting(open_cases=1):
        await bed.write(*pair(other))

        async def brought():
            return await bed.cases()

        await bed.until(brought)
