"""Whoever waits for a workflow that waits itself is told so, once, and why."""

import asyncio

import pytest

from cli import waiting
from tests.integration.workflows.conftest import DEADLINE, Moot

AWAY = "Kafka at 10.0.0.1:9092 does not answer"


@pytest.fixture
def away(moot, monkeypatch):
    """The log refuses every append until the event is set."""
    back = asyncio.Event()
    append = moot.log.append

    async def refuse(topic, events):
        if not back.is_set():
            raise ConnectionError(AWAY)
        return await append(topic, events)

    monkeypatch.setattr(moot.log, "append", refuse)
    return back


async def heard(capsys, wanted):
    """What was said on stderr up to a line that holds `wanted`."""
    err = ""
    async with asyncio.timeout(DEADLINE):
        while wanted not in err:
            await asyncio.sleep(0.05)
            err += capsys.readouterr().err
    return err


async def test_a_step_that_fails_is_named_with_its_reason_and_so_is_the_end_of_it(
    moot, proposal, away, capsys
):
    handle = await moot.start(proposal)
    async with waiting.told(handle, "moot consensus watch q"):
        said = await heard(capsys, "waits")
        away.set()
        await handle.result()
        said += await heard(capsys, "goes on")
    first, last = said.splitlines()
    assert first.startswith(f"moot: {handle.id} waits: open_stream failed, {AWAY}; ")
    assert last == f"moot: {handle.id} goes on"


async def test_a_step_that_hangs_is_named_before_it_fails(moot, proposal, capsys, monkeypatch):
    monkeypatch.setattr(waiting, "TOO_LONG", 0.5)
    back = asyncio.Event()
    append = moot.log.append

    async def hang(topic, events):
        await back.wait()
        return await append(topic, events)

    monkeypatch.setattr(moot.log, "append", hang)
    handle = await moot.start(proposal)
    async with waiting.told(handle, "moot consensus watch q"):
        assert "waits: open_stream has not ended in 0.5 s\n" in await heard(capsys, "waits")
        back.set()
        await handle.result()


async def test_a_workflow_that_no_worker_takes_on_is_told(client, proposal, capsys, monkeypatch):
    monkeypatch.setattr(waiting, "TOO_LONG", 0.5)
    handle = await Moot(client).start(proposal)  # its queue is nobody's
    async with waiting.told(handle, "moot consensus watch q"):
        assert "no worker goes on with it; does `moot worker orchestrator` run?" in await heard(
            capsys, "waits"
        )
    await handle.terminate()


async def test_an_interrupted_wait_says_that_the_work_goes_on_and_how_to_wait_again(
    moot, proposal, away, capsys
):
    handle = await moot.start(proposal)

    async def wait():
        async with waiting.told(handle, "moot consensus watch q"):
            return await handle.result()

    waits = asyncio.create_task(wait())
    await heard(capsys, "waits")
    waits.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waits
    assert "goes on; wait for it again with `moot consensus watch q`" in capsys.readouterr().err
    away.set()
    assert await handle.result()


async def test_where_nothing_waits_nothing_is_said(moot, proposal, capsys):
    handle = await moot.start(proposal)
    async with waiting.told(handle, "moot consensus watch q"):
        await handle.result()
        await waiting.Waiting(handle).look()
    assert capsys.readouterr().err == ""


async def test_a_reason_too_long_for_temporal_is_still_told(moot, proposal, capsys, monkeypatch):
    async def refuse(*_):
        raise ConnectionError(AWAY + " " * 20_000)

    with monkeypatch.context() as patched:
        patched.setattr(moot.log, "append", refuse)
        handle = await moot.start(proposal)
        async with waiting.told(handle, "moot consensus watch q"):
            assert f"open_stream failed, {AWAY}" in await heard(capsys, "waits")
    await handle.result()
