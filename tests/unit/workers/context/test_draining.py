"""Passing on goes on after every fault, strikes off what was acknowledged, and says what it waits for."""

import asyncio
import contextlib

import pytest

from workers import draining
from workers.accepting import Accepting
from workers.deciding import Deciding, Rules
from workers.draining import Draining
from workers.outbox import Outbox
from workers.outbox_changes import Changes, Unsent
from workers.outbox_file import OutboxFault


class Writer:
    """A log that fails as it is told, each time it is asked, and then takes everything."""

    def __init__(self, faults):
        self.faults, self.taken = list(faults), []

    def __call__(self, *_, **__):
        return self

    async def __aenter__(self):
        return self

    async def __aexit__(self, *error):
        pass

    async def append_encoded(self, topic, encoded):
        if self.faults:
            raise self.faults.pop(0)
        self.taken.append((topic, [event for _, _, event in encoded]))


@pytest.fixture
async def outbox(tmp_path):
    outbox = Outbox.open(tmp_path / "eu-1.db", "eu", "eu-1")
    outbox.store(
        Changes([Unsent(1, 50, 1, "context/eu.s.1", b"a"), Unsent(2, 100, 2, "context/eu.s.2", b"b")])
    )
    yield outbox
    outbox.close()


async def passed_on(outbox, within=5.0):
    """What is left, and the problem, after so much time without progress."""
    accepting = Accepting(outbox, Deciding(outbox, "eu-1", "eu", Rules(), lambda: 1))
    accepting.start()
    work = Draining("", "", "eu", outbox, accepting)
    task = asyncio.create_task(work.run())
    left = await work.drained(within)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    await accepting.stop()
    return left, work.problem


@pytest.mark.parametrize("fault", [TimeoutError("no answer"), OSError("broken"), KeyError("a fault of ours")])
async def test_after_any_fault_it_sends_the_same_again_and_the_most_urgent_first(outbox, monkeypatch, fault):
    writer = Writer([fault])
    monkeypatch.setattr(draining, "LogWriter", writer)
    assert await passed_on(outbox) == (0, None)
    assert writer.taken == [("context.eu", [b"b", b"a"])]


async def test_while_nothing_is_taken_all_stays_and_the_reason_is_told(outbox, monkeypatch):
    writer = Writer([OSError("Kafka is away")] * 1000)
    monkeypatch.setattr(draining, "LogWriter", writer)
    assert await passed_on(outbox, 0.05) == (2, "Kafka is away")
    assert [one.event for one in outbox.unsent(9)] == [b"b", b"a"]


async def test_while_the_outbox_cannot_be_written_what_the_log_has_is_not_sent_again(outbox, monkeypatch):
    writer = Writer([])
    monkeypatch.setattr(draining, "LogWriter", writer)
    full, store = [OutboxFault("the disk is full")] * 3, outbox.store

    def stored(changes):
        if full:
            raise full.pop()
        store(changes)

    monkeypatch.setattr(outbox, "store", stored)
    assert await passed_on(outbox) == (0, None)
    assert (full, writer.taken) == ([], [("context.eu", [b"b", b"a"])])
