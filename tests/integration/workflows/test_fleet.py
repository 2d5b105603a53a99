"""Announcements on a real Temporal: written once, in order, whatever dies, and never by two of one name."""

import asyncio
import contextlib

import msgspec
import pytest
from temporalio.client import WorkflowFailureError
from temporalio.exceptions import ApplicationError

from domain.learning.fleet import Announced, Announcement, Left
from domain.refusal import Refusal
from tests.fakes.journal import MemoryJournal
from tests.unit.domain.learning.fleets import announced, client
from workers.announcer import Announcer, _encoded, _said
from workflows.names import ANNOUNCE_HOST, fleet_stream


class Dies(Exception):  # it is what happens
    """The process is killed at this moment."""


class Dying(MemoryJournal):
    """A journal whose process dies at the `at`-th entry, before or after it is kept."""

    def __init__(self, entries, at, *, kept):
        super().__init__()
        self.entries = entries
        self._at, self._kept = at, kept

    async def once(self, key, value):
        self._at -= 1
        if self._at < 0 and not self._kept:
            raise Dies
        stands = await super().once(key, value)
        if self._at < 0:
            raise Dies
        return stands


class Bed:
    def __init__(self, moot):
        self.moot, self.host = moot, moot.id("edge")

    def announcer(self, journal):
        return Announcer(self.moot.client, journal, self.host, self.moot.queue)

    def said(self):
        return [(event.version, event.data) for event in self.moot.log.stream(fleet_stream(self.host))]

    def announced(self, *names, **more):
        return announced(self.host, [client(name) for name in names], **more)


@pytest.fixture
def bed(moot):
    return Bed(moot)


async def test_what_a_host_says_is_on_its_stream_in_order(bed):
    parts = [bed.announced("a", part=1, parts=2), bed.announced("b", part=2, parts=2)]
    announcer = bed.announcer(MemoryJournal())
    assert await announcer.say(parts) == 2
    await announcer.leave("stopped")
    assert bed.said() == [(1, parts[0]), (2, parts[1]), (3, Left(bed.host, "stopped"))]


async def test_what_it_said_last_is_not_said_again(bed):
    journal = MemoryJournal()
    said = [bed.announced("a")]
    assert [await bed.announcer(journal).say(said) for _ in range(3)] == [1, 0, 0]
    assert await bed.announcer(journal).say([bed.announced("a", "b")]) == 1
    assert await bed.announcer(journal).say(said) == 1
    assert [version for version, _ in bed.said()] == [1, 2, 3]


async def test_a_host_that_never_announced_itself_does_not_leave(bed):
    await bed.announcer(MemoryJournal()).leave("stopped")
    assert bed.said() == []


@pytest.mark.parametrize("kept", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("at", range(4))
async def test_killed_at_any_entry_of_its_journal_it_goes_on_without_a_gap_or_a_fork(bed, at, kept):
    parts = [bed.announced("a", part=1, parts=2), bed.announced("b", part=2, parts=2)]
    journal = MemoryJournal()
    with pytest.raises(Dies):
        await bed.announcer(Dying(journal.entries, at, kept=kept)).say(parts)
    await bed.announcer(journal).say(parts)
    versions = [version for version, _ in bed.said()]
    assert versions == list(range(1, len(versions) + 1))
    assert [data for _, data in bed.said()][-2:] == parts


async def test_killed_while_its_workflow_runs_it_waits_for_that_one(bed):
    journal, said = MemoryJournal(), bed.announced("a")
    saying = asyncio.create_task(bed.announcer(journal).say([said]))
    async with asyncio.timeout(10):
        while not await _exists(bed):  # noqa: ASYNC110 # Temporal gives no signal
            await asyncio.sleep(0.01)
    saying.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await saying
    assert await bed.announcer(journal).say([said]) == 0
    assert bed.said() == [(1, said)]


async def test_what_was_begun_by_a_call_that_was_cancelled_is_said_first(bed):
    journal, said = MemoryJournal(), [bed.announced("a")]
    late = _encoded(1, bed.announced("late"))

    class Late(MemoryJournal):
        async def once(self, key, value):
            journal.entries.setdefault(_said(1), late)  # a thread that was still on its way
            return await journal.once(key, value)

        async def read(self, key):
            return await journal.read(key)

        async def forget(self, prefix):
            await journal.forget(prefix)

    assert await bed.announcer(Late()).say(said) == 1
    assert bed.said() == [(1, bed.announced("late")), (2, said[0])]


async def _exists(bed):
    try:
        await bed.moot.client.get_workflow_handle(fleet_stream(bed.host)).describe()
    except Exception:  # noqa: BLE001 # not found
        return False
    return True


async def test_a_second_host_of_its_name_is_refused_by_name(bed):
    await bed.announcer(MemoryJournal()).say([bed.announced("a")])
    with pytest.raises(Refusal, match=r"^--id: the stream of .* has 1 event, .* take another --id"):
        await bed.announcer(MemoryJournal()).say([bed.announced("b")])
    assert [version for version, _ in bed.said()] == [1]


async def test_two_hosts_of_one_name_that_begin_at_once_write_one_first_version(bed):
    both = [bed.announcer(MemoryJournal()).say([bed.announced(name)]) for name in "ab"]
    found = await asyncio.gather(*both, return_exceptions=True)
    assert {type(one) for one in found} == {int, Refusal}
    assert [version for version, _ in bed.said()] == [1]


async def test_where_temporal_forgot_the_read_model_knows(bed):
    bed.moot.model.hosts[bed.host] = (4, bed.announced("a"))
    with pytest.raises(Refusal, match="has 4 events, and this folder's journal knows of 0"):
        await bed.announcer(MemoryJournal()).say([bed.announced("b")])
    assert bed.said() == []


async def test_what_the_read_model_has_already_is_not_written_again(bed):
    said = bed.announced("a")
    bed.moot.model.hosts[bed.host] = (1, said)
    assert await bed.announcer(MemoryJournal()).say([said]) == 1
    assert bed.said() == []


async def test_after_a_refusal_the_host_can_speak_again(bed):
    journal = MemoryJournal()
    bed.moot.model.hosts[bed.host] = (4, bed.announced("a"))
    with pytest.raises(Refusal):
        await bed.announcer(journal).say([bed.announced("b")])
    del bed.moot.model.hosts[bed.host]
    assert await bed.announcer(journal).say([bed.announced("c")]) == 1
    assert bed.said() == [(1, bed.announced("c"))]


async def test_after_a_terminated_workflow_it_speaks_again(alone, client):
    async with alone() as moot:
        bed = Bed(moot)
        await client.start_workflow(ANNOUNCE_HOST, {}, id=fleet_stream(bed.host), task_queue="nobody")
        await client.get_workflow_handle(fleet_stream(bed.host)).terminate()
        assert await bed.announcer(MemoryJournal()).say([bed.announced("a")]) == 1
        assert len(bed.said()) == 1


async def test_under_another_id_nothing_is_written(bed):
    asked = Announcement(0, "d", announced=bed.announced("a"))
    with pytest.raises(WorkflowFailureError) as failed:
        await bed.moot.client.execute_workflow(
            ANNOUNCE_HOST, asked, id=bed.moot.id("ui"), task_queue=bed.moot.queue
        )
    assert isinstance(failed.value.cause, ApplicationError)
    assert f"the workflow fleet/{bed.host} alone writes that stream" in str(failed.value.cause)
    assert bed.said() == []


def test_the_announcement_of_a_thousand_clients_fits_in_few_parts():
    from domain.learning.announcing import parts_of
    from workers.membership import PART_BYTES, _weigh

    clients = [client(f"sim-{n}", identity="A" * 43 + "=") for n in range(1_000)]
    parts = parts_of("sim", "eu", clients, _weigh, PART_BYTES)
    assert len(parts) <= 5
    assert all(len(msgspec.json.encode(part)) < PART_BYTES + 500 for part in parts)
    assert isinstance(parts[0], Announced)
