"""`moot regions`: a hash of what each region has, equal where the same writes arrived."""

import asyncio
import json

import pytest

from cli.main import main
from domain.context.recording import recorded
from domain.context.residency import Residency
from tests.unit.domain.context.given import wrote

ANN, BOB = wrote("eu-1:1", {"free": 8}), wrote("us-1:1", {"closed": 2})
BOTH = wrote("eu-1:2", {"free": 9}, seen="eu-1:1 us-1:1")
OTHER = wrote("eu-1:1", [1], key="other", layer="historical")
SECRET = wrote("eu-1:1", "s", key="patient/7")


@pytest.fixture
def moot(bed, monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FOLKMOOT_DATABASE_URL", bed.database)

    async def moot(*words):
        status = await asyncio.to_thread(main, ["regions", *words])
        said = capsys.readouterr()
        return status, said.out, said.err

    return moot


async def write(bed, region, *writes):
    bed.log.append([recorded(one, region, Residency()) for one in writes], f"context.{region}")
    await bed.project(f"context.{region}")


async def test_regions_are_equal_once_the_same_writes_arrived_in_whatever_order(bed, moot):
    assert await moot() == (0, "no region has any context yet\n", "")
    await write(bed, "eu", ANN, BOB, BOTH, OTHER)
    assert (await moot())[1].endswith("there is one region only\n")
    await write(bed, "us", OTHER, BOTH, ANN)
    status, out, _ = await moot("--json")
    found = json.loads(out)
    assert (status, found["equal"]) == (1, False)
    assert (found["regions"]["eu"]["writes"], found["regions"]["us"]["writes"]) == (4, 3)
    assert "on their way" in (await moot())[1]
    await write(bed, "us", BOB, ANN)
    status, out, _ = await moot("us", "eu", "--json")
    found = json.loads(out)
    assert (status, found["equal"], [*found["regions"]]) == (0, True, ["us", "eu"])
    assert found["regions"]["eu"] == found["regions"]["us"] | {"region": "eu"}
    assert (found["regions"]["eu"]["keys"], found["regions"]["eu"]["pinned"]) == (2, 0)


async def test_a_region_where_nothing_has_arrived_is_not_equal_to_one_that_has_something(bed, moot):
    await write(bed, "eu", ANN)
    assert (await moot())[0] == 0
    await bed.project("context.us")
    status, out, _ = await moot()
    assert (status, "0 keys, 0 writes" in out) == (1, True)


async def test_what_is_pinned_is_left_out_of_what_is_compared(bed, moot, tmp_path):
    await write(bed, "eu", ANN, SECRET)
    await write(bed, "us", ANN)
    assert (await moot())[0] == 1
    policy = tmp_path / "policy.json"
    policy.write_text('{"pins": [{"key": "patient/*", "regions": ["eu", "asia"]}]}')
    status, out, _ = await moot("--policy", str(policy))
    assert status == 0
    assert "1 key, 1 write; 1 pinned key left out" in out
    alone = json.loads((await moot("eu", "--policy", str(policy), "--json"))[1])
    assert alone["regions"]["eu"]["keys"] == 2, "alone it may have all that is pinned to it"


async def test_what_cannot_be_compared_is_refused_in_one_line(moot, bed, tmp_path):
    policy = tmp_path / "policy.toml"
    policy.write_text("pins = 5")
    status, out, err = await moot("--policy", str(policy))
    assert (status, out) == (1, "")
    assert err == f"moot: policy {policy}: pins: is no list\n"
    status, out, err = await moot("mars")
    assert (status, err) == (1, "moot: region: mars has no context; there is none\n")
