"""What two people type in two regions becomes a case, a person rules, and both read the ruling."""

import asyncio
import json
import uuid

import pytest

from tests.integration.workflows.processes import DEADLINE, stack

__all__ = ["stack"]

POLICY = """
open_cases = 20

[policy]
regional_appeal_seconds = 0
global_appeal_seconds = 0
annulment_seconds = 0

[[members]]
id = "m1"
region = "asia"
ballots = [{choice = "eu-1-1"}]
"""


async def read(stack, *args, shown):
    async with asyncio.timeout(DEADLINE):
        while True:
            code, out, _ = await stack.moot(*args, "--json")
            if code == 0 and shown(found := json.loads(out)):
                return found


@pytest.fixture
async def regions(stack):
    file = stack.data / "conflict.toml"
    file.write_text(POLICY)
    layers = stack.data / "context.json"
    layers.write_text('{"layers": {"situational": {"sync_seconds": 0.1}}}')
    stack.environ |= {
        "FOLKMOOT_CONFLICT_POLICY": str(file),
        "FOLKMOOT_CONTEXT_POLICY": str(layers),
        "FOLKMOOT_SIGNING_KEY": str(stack.data / "key"),
    }
    code, _, err = await stack.moot("migrate", "--region", "eu", "--region", "us")
    assert code == 0, err
    return stack


async def test_what_two_regions_write_at_once_is_ruled_on_by_a_person_and_read_in_both(regions):
    place = ("situational", f"ward/{uuid.uuid4().hex}")
    async with regions.worker(), regions.worker("projector"):
        for region, value in (("eu", "nine beds"), ("us", "seven beds")):
            code, _, err = await regions.moot(
                *("context", "put", *place, value, "--text", "--region", region, "--node", f"{region}-1"),
                *("--writer", f"ann-{region}", "--flag", "personality_critical"),
            )
            assert code == 0, err
        async with regions.worker("replicator"):
            (case,) = await read(regions, "conflict", "list", "--status", "person", shown=bool)
            name = case["stream"].partition("/")[2]
            await regions.json(
                *("conflict", "rule", name, "--verdict", "us-1-1", "--reason", "counted", "--as", "Pat")
            )
            for region in ("eu", "us"):
                found = await read(
                    regions,
                    *("context", "get", *place, "--region", region, "--node", f"{region}-reader"),
                    shown=lambda found: found["present"],
                )
                assert (found["value"], found["version"]) == ("seven beds", f"case.{name}:1")
            code, out, _ = await regions.moot("context", "history", *place, "--region", "eu", "--json")
            told = [json.loads(line) for line in out.splitlines()]
            assert {one["value"] for one in told} == {"nine beds", "seven beds"}
            assert len(told) == 3
            assert (await regions.moot("regions"))[0] == 0
