"""Real node processes in the fleet: announced, changed, gone, killed, and two of one id."""

import asyncio
import json
import signal
from contextlib import AsyncExitStack
from datetime import UTC, datetime

import pytest

from workers.roster import PostgresRoster

DEADLINE = 30.0
DATA = """
import json
from pathlib import Path

from domain.learning.fleet import DataOffer

HERE = Path(__file__).parent


class Rows:
    def __init__(self, client):
        self.client = client

    def offers(self):
        told = json.loads((HERE / "rows.json").read_text())
        return (DataOffer("default", told.get(self.client, told["default"]), 0.9),)

    def rows(self, name, since, until):
        raise NotImplementedError


def of_client(client):
    return Rows(client)
"""


class Fleet:
    def __init__(self, stack, folder, running):
        self.stack, self.folder, self.running = stack, folder, running

    def rows(self, **rows):
        (self.folder / "rows.json").write_text(json.dumps({"default": 100, **rows}))

    def node(self, name, *more, data="my_data:of_client"):
        told = ["--id", name, "--region", "eu", "--trainers", "logistic-regression", "--look-every", "0.2"]
        return self.stack.worker("node", *told, "--data", data, *more, cwd=self.folder)

    async def refused(self, name, *more):
        told = ["worker", "node", "--id", name, "--region", "eu", "--data", "my_data:of_client", *more]
        return await self.stack.moot(*told, PYTHONPATH=f"{self.stack.environ['PYTHONPATH']}:{self.folder}")

    async def candidates(self, until):
        """By client, as soon as they are as `until` wants them."""
        found = {}
        try:
            async with PostgresRoster(self.stack.environ["FOLKMOOT_DATABASE_URL"]) as roster:
                async with asyncio.timeout(DEADLINE):
                    while not until(found := {c.client.id: c for c in await roster.candidates()}):  # noqa: ASYNC110 # a database gives no signal
                        await asyncio.sleep(0.02)
        except TimeoutError:
            raise AssertionError(f"it never came; there is {found}") from None
        return found

    async def host(self, name):
        async with PostgresRoster(self.stack.environ["FOLKMOOT_DATABASE_URL"]) as roster:
            return await roster.host(name)


@pytest.fixture
async def fleet(stack, tmp_path):
    code, _, err = await stack.moot("migrate")
    assert code == 0, err
    folder = tmp_path / "edge"
    folder.mkdir()
    (folder / "my_data.py").write_text(DATA)
    async with AsyncExitStack() as running:
        await running.enter_async_context(stack.worker("orchestrator"))
        await running.enter_async_context(stack.worker("projector"))
        fleet = Fleet(stack, folder, running)
        fleet.rows()
        yield fleet


async def test_a_node_announces_its_clients_says_what_changed_and_leaves(fleet):
    async with fleet.node("edge-1", "--clients", "3", "--charging", "--network-mbps", "50") as process:
        found = await fleet.candidates(lambda there: len(there) == 3)
        assert sorted(found) == ["edge-1-0", "edge-1-1", "edge-1-2"]
        one = found["edge-1-1"]
        assert (one.host, one.region, one.client.trainers) == ("edge-1", "eu", ("logistic-regression",))
        assert (one.client.charging, one.client.unmetered, one.client.network_mbps) == (True, None, 50.0)
        assert one.client.data[0].rows == 100
        assert len(one.client.identity) == 44

        fleet.rows(**{"edge-1-1": 105})  # too little to be said again
        conditions = fleet.stack.data / "nodes" / "edge-1" / "conditions.json"
        conditions.write_text('{"charging": false, "network_mbps": 5}')
        found = await fleet.candidates(lambda there: there["edge-1-1"].client.charging is False)
        assert found["edge-1-1"].client.network_mbps == 5.0
        fleet.rows(**{"edge-1-1": 400})
        await fleet.candidates(lambda there: there["edge-1-1"].client.data[0].rows == 400)

        listed = await fleet.stack.json("fleet", "list", "--region", "eu")
        assert [(host["host"], len(host["clients"])) for host in listed] == [("edge-1", 3)]
        assert await fleet.stack.json("fleet", "list", "--region", "us") == []
        _, status, _ = await fleet.stack.moot("status")
        assert "announced     eu: 1 node for 3 clients\n" in status

        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), DEADLINE) == 0
    await fleet.candidates(lambda there: there == {})
    known = await fleet.host("edge-1")
    assert (known.version, known.host.left.reason) == (4, "stopped")
    assert "1 left" in (await fleet.stack.moot("status"))[1]


async def test_killed_hard_it_goes_on_where_it_was(fleet):
    for rows in (100, 200, 300):
        fleet.rows(**{"edge-2": rows})
        async with fleet.node("edge-2") as process:
            await fleet.candidates(
                lambda there, rows=rows: there and there["edge-2"].client.data[0].rows == rows
            )
            process.kill()
            await process.wait()
    async with fleet.node("edge-2"):  # what it would say stands already
        pass
    assert (await fleet.host("edge-2")).version == 3


async def test_a_second_process_of_its_id_is_refused_by_name(fleet, tmp_path):
    async with fleet.node("edge-3") as first:
        await fleet.candidates(lambda there: "edge-3" in there)
        code, _, err = await fleet.refused("edge-3")
        assert code == 1
        assert err.splitlines()[-1].startswith(
            f"moot: --id: process {first.pid} trains as edge-3 with this folder already"
        )
        code, _, err = await fleet.refused("edge-3", "--folder", str(tmp_path / "elsewhere"))
        assert code == 1
        assert "moot: --id: the stream of edge-3 has 1 event, and this folder's journal knows of 0" in err
    assert (await fleet.host("edge-3")).version <= 2  # the first one's, and perhaps that it left


async def test_a_thousand_clients_of_one_host_are_in_the_roster_within_seconds(fleet, record_property):
    began = datetime.now(UTC)
    async with fleet.node("sim", "--clients", "1000"):
        await fleet.candidates(lambda there: len(there) == 1_000)
        seconds = (datetime.now(UTC) - began).total_seconds()
        known = await fleet.host("sim")
    record_property("1,000 clients of one host, from its start to the roster", f"{seconds:.1f} s")
    assert known.version > 1  # in parts
    assert seconds < 15
