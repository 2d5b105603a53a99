"""`moot learn models` and its companions over real processes: shown, taken back, fed, plotted, collected."""

import asyncio
import json
import os
import uuid
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from temporalio.client import Client

from cli import learn_plot, main
from domain.learning.commands import RunCycle
from domain.learning.policy import TrainerSpec
from domain.learning.versions.commands import PublishVersion
from domain.learning.versions.lineage import LineageDigests
from domain.refusal import Refusal
from projections.queries import Queries
from tests.integration.workflows.processes import DEADLINE
from workers import schedules
from workers.artifacts import FsspecArtifacts
from workers.models import TemporalModels
from workflows.payloads import CONVERTER

ROUNDS = [{"version": "v1.0", "loss": 1 / n, "accuracy": n / 9, "round": n} for n in range(1, 6)]


@pytest.fixture
async def bed(stack, temporal, monkeypatch):
    """A stack whose orchestrator runs, with two versions of a model published."""
    code, _, err = await stack.moot("migrate")
    assert code == 0, err
    for name, value in stack.environ.items():
        monkeypatch.setenv(name, value)
    client = await Client.connect(temporal, data_converter=CONVERTER)
    model = f"digits-{uuid.uuid4().hex[:8]}"
    store = FsspecArtifacts(stack.environ.get("FOLKMOOT_ARTIFACTS", str(stack.data / "artifacts")))
    async with stack.worker(), stack.worker("projector"):
        for number, parent in enumerate([None, "v1.0"]):
            content = await store.put(f"model {number} of {model}".encode())
            document = await store.put(f"lineage {number} of {model}".encode())
            told = PublishVersion(
                f"c{number}", content, content.sha256, parent, 1, document, 0.5, 0.9, 0.0, 0.05, 7,
                digests=LineageDigests("1", "2", "3", "4", "5"),
            )  # fmt: skip
            await TemporalModels(client).publish(model, told)
        yield stack, client, model, store
        await client.get_workflow_handle(f"model/{model}").terminate("the test is over")


async def moot(command, *arguments, code=0):
    words = ["learn", command, *arguments, "--json"]  # by its whole name: click keeps what help it made first
    found = await asyncio.to_thread(CliRunner().invoke, main.moot, words)
    assert found.exit_code == code, f"{found.output} {found.exception!r}"
    return json.loads(found.output) if code == 0 else found.exception


async def test_a_person_looks_takes_back_feeds_and_collects(bed):
    stack, _, model, store = bed
    shown = await moot("models", model)
    assert [(one["version"], one["status"]) for one in shown["versions"]] == [
        ("v1.0", "retired"),
        ("v1.1", "promoted"),
    ]
    assert shown["versions"][1]["digests"]["code"] == "4"
    on = await moot("serving", model, "edge-1")
    assert (on["version"], on["digest"]) == ("v1.1", on["artifact"]["sha256"])
    done = await moot("rollback", model, "--reason", "wrong", "--as", "ann")
    again = await moot("rollback", model, "--reason", "wrong", "--as", "ann")
    assert (done["active"], len(done["event_ids"]), again["event_ids"]) == ("v1.0", 1, [])
    assert (await moot("promote", model, "v1.1", "--reason", "right", "--as", "ann"))["active"] == "v1.1"
    fed = await moot("observe", model, "--loss", "0.5", "--version", "v1.1")
    assert (fed["losses"], fed["drifts"], fed["unlooked"]) == (1, [], None)
    refused = await moot("observe", model, "--loss", "0.5", "--version", "v1.0", code=1)
    assert str(refused).startswith("version: v1.0 does not serve, v1.1 does")
    assert (await moot("models", model, "--version", "v1.1"))["rounds"] == []
    assert isinstance(await moot("models", f"{model}-none", code=1), Refusal)
    async with Queries(stack.environ["FOLKMOOT_DATABASE_URL"]) as tables, asyncio.timeout(DEADLINE):
        while (row := await tables.model(f"model/{model}")) is None or row["active"] != "v1.1":
            pass
    assert model in [row["stream"].partition("/")[2] for row in await moot("models")]

    lost = await store.put(b"nobody's")
    old = Path(lost.uri.removeprefix("file://"))
    (mark,) = (old.parent.parent / "logs").iterdir()  # the orchestrator left it when it started
    for path in (old, mark):
        os.utime(path, (0, 0))
    dry = await moot("models", "--collect")
    assert ([one["sha256"] for one in dry["unreferenced"]], dry["removed"]) == ([lost.sha256], None)
    assert await store.get(lost) == b"nobody's"
    assert (await moot("models", "--collect", "--yes"))["removed"] == 1
    assert lost.sha256 not in await store.listed()
    assert len(await store.listed()) == dry["stored"] - 1


async def test_a_model_has_one_schedule_which_is_paused_resumed_and_deleted(bed):
    _, client, model, _ = bed
    weekly = RunCycle("weekly", model, TrainerSpec("mean"))
    assert await schedules.describe(client, model) is None
    with pytest.raises(Refusal, match="has no schedule"):
        await schedules.TemporalCycles(client).trigger(model)
    assert await schedules.schedule(client, weekly, timedelta(days=7))
    await schedules.pause(client, model, "the fleet is away")
    assert not await schedules.schedule(client, weekly, timedelta(days=1))
    seen = await schedules.describe(client, model)
    assert (seen.every, seen.paused, seen.note) == (timedelta(days=1), True, "the fleet is away")
    await schedules.resume(client, model, "it is back")
    assert not (await schedules.describe(client, model)).paused
    async with asyncio.timeout(DEADLINE):
        while not any(
            b'"scheduled":true' in one and model.encode() in one for one in await schedules.inputs(client)
        ):
            pass
    await schedules.unschedule(client, model)
    with pytest.raises(Refusal, match="has no schedule; `moot learn start FILE --every 7d` makes it"):
        await schedules.unschedule(client, model)
    with pytest.raises(Refusal, match="outside 1 minute to 366 days"):
        await schedules.schedule(client, weekly, timedelta(seconds=1))


def test_a_file_gets_a_png(tmp_path: Path):
    learn_plot.png(ROUNDS, "digits", tmp_path / "digits.png")
    assert (tmp_path / "digits.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(Refusal, match="there is nothing to plot"):
        learn_plot.png([], "digits", tmp_path / "none.png")
    with pytest.raises(Refusal, match="cannot be written"):
        learn_plot.png(ROUNDS, "digits", tmp_path / "no" / "such.png")
