"""Puts through the one thread that writes: decided in order, answered when stored, sent at least once."""

import asyncio
import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.context.commands import PutContext
from domain.context.possible import LAST_COUNTER, LATEST
from domain.context.recording import recorded
from domain.context.residency import Pin, PinnedElsewhere, Residency
from domain.context.state import absorb, fold
from domain.context.versions import VersionMoved
from domain.refusal import Refusal
from eventlog.codec import decode
from tests.unit.domain.context.given import wrote
from tests.unit.drawing import examples
from workers import deciding
from workers.accepting import Accepting
from workers.deciding import Deciding, Rules, Wanted
from workers.outbox import Outbox
from workers.outbox_changes import Mark, Marks
from workers.outbox_file import OutboxFault

FILES = itertools.count()


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("puts")


@pytest.fixture
def file(tmp_path):
    return tmp_path / "eu-1.db"


class Node:
    """A node without servers; its clock is 1,000,000 ms and stands still."""

    def __init__(self, file, rules=None, clock=lambda: 1_000_000):
        self.outbox = Outbox.open(file, "eu", "eu-1")
        self.accepting = Accepting(self.outbox, Deciding(self.outbox, "eu-1", "eu", rules or Rules(), clock))

    async def __aenter__(self):
        self.accepting.start()
        return self

    async def __aexit__(self, *error):
        await self.accepting.stop()
        self.outbox.close()

    async def put(self, value, key="k", heard=None, **fields):
        command = PutContext("situational", key, value, "ann", **fields)
        (outcome,) = await self.accepting.put([Wanted(command, heard)])
        if isinstance(outcome, Refusal):
            raise outcome
        return outcome


def writes(outbox):
    return [decode(one.event).data for one in outbox.unsent(1000)]


async def test_each_put_of_a_key_has_the_next_dot_and_has_seen_the_one_before(file):
    async with Node(file) as node:
        first, second = await node.put(1), await node.put(2)
    assert (first.local_version, second.local_version) == ("eu-1:1", "eu-1:2")
    again = Outbox.open(file, "eu", "eu-1")
    one, two = writes(again)
    again.close()
    assert (one.seen, two.seen, one.clock < two.clock) == ({}, {"eu-1": 1}, True)


async def test_puts_in_one_call_follow_what_the_outbox_has_and_one_another(file):
    async with Node(file) as node:
        await node.put(1, "old")
    async with Node(file) as node:
        wanted = [Wanted(PutContext("situational", key, 2, "ann")) for key in ("old", "new", "new", "old")]
        answers = await node.accepting.put(wanted)
    assert [one.local_version for one in answers] == ["eu-1:2", "eu-1:1", "eu-1:2", "eu-1:3"]


async def test_what_was_absent_is_read_again_once_it_left_the_memory(file, monkeypatch):
    monkeypatch.setattr(deciding, "_IN_MEMORY", 1)
    async with Node(file) as node:
        await node.accepting.put(
            [Wanted(PutContext("situational", key, 1, "ann")) for key in ("a", "b", "c")]
        )
        for key in ("a", "b", "c"):
            (known,) = await node.accepting.heard([fold(None, wrote("us-1:1", key=key))])
            assert known.received.vector == {"eu-1": 1, "us-1": 1}


async def test_dots_and_the_clock_go_on_in_the_next_process_even_if_its_clock_runs_behind(file):
    async with Node(file) as node:
        await node.put(1)
    async with Node(file, clock=lambda: 5) as node:
        assert (await node.put(2)).local_version == "eu-1:2"
        assert (await node.put(3, key="other")).local_version == "eu-1:1"
        one, two, three = writes(node.outbox)
    assert one.clock < two.clock < three.clock


async def test_a_clock_that_runs_wild_carries_only_the_answers_to_its_own_key(file):
    """What answers it is later than it; the node's next writes of other keys are not, nor after a restart."""
    wild = fold(None, wrote("us-1:1", "theirs", wall=1_600_000))
    async with Node(file) as node:
        await node.put("mine", heard=wild, if_version="us-1:1")
        await node.put("again")
        await node.put("of another key", key="other")
    async with Node(file) as node:
        await node.put("later", key="third")
        walls = [write.wall for write in writes(node.outbox)]
    assert walls == [1_600_000, 1_600_000, 1_000_000, 1_000_000]


async def test_what_was_heard_of_the_region_is_what_a_put_answers(file):
    theirs = fold(None, wrote("us-1:1", "theirs", wall=2_000_000))
    async with Node(file) as node:
        answer = await node.put("mine", heard=theirs, if_version="us-1:1")
        assert (answer.local_version, answer.conflicts_detected) == ("eu-1:1", 0)
        (write,) = writes(node.outbox)
        assert write.seen == {"us-1": 1}
        assert write.wall == 2_000_000
        with pytest.raises(VersionMoved, match="the region has eu-1:1"):
            await node.put("late", if_version="us-1:1")
        assert len(writes(node.outbox)) == 1


async def test_siblings_that_no_rule_settles_are_told(file):
    theirs = fold(None, wrote("us-1:1", "theirs"))
    async with Node(file) as node:
        await node.put("mine")
        answer = await node.put("mine again", heard=theirs)
        assert (answer.conflicts_detected, answer.requires_remote_resolution) == (1, True)
        assert answer.local_version == "eu-1:2,us-1:1"


async def test_siblings_that_a_rule_settles_are_replaced_by_the_next_put(file):
    async with Node(file) as node:
        await node.put({"a": 1})
        other = fold(None, wrote("us-1:1", {"b": 2}))
        (heard,) = await node.accepting.heard([other])
        assert len(heard.siblings) == 2
        assert (await node.put({"a": 2})).conflicts_detected == 0


async def test_a_refused_put_leaves_nothing_and_the_others_stand(file):
    rules = Rules(residency=Residency((Pin(("us",), key="pinned"),)))
    async with Node(file, rules) as node:
        pinned = Wanted(PutContext("cultural", "pinned", 1, "ann"))
        free = Wanted(PutContext("cultural", "free", 1, "ann"))
        outcomes = await node.accepting.put([free, pinned, free])
        assert [type(one).__name__ for one in outcomes] == ["Accepted", "PinnedElsewhere", "Accepted"]
        assert [write.counter for write in writes(node.outbox)] == [1, 2]
        with pytest.raises(PinnedElsewhere):
            raise outcomes[1]


async def test_with_marks_the_first_refusal_is_the_end_and_the_mark_before_it_is_kept(file):
    rules = Rules(residency=Residency((Pin(("us",), key="pinned"),)))
    wanted = [Wanted(PutContext("cultural", key, 1, "ann")) for key in ("a", "b", "pinned", "c")]
    marks = tuple(Mark(f"d{n}", n, n) for n in range(1, 5))
    async with Node(file, rules) as node:
        assert len(await node.accepting.put(wanted, Marks((), marks))) == 3
        assert node.outbox.marks() == [marks[1]]
        assert len(await node.accepting.put(wanted[2:], Marks(("d2",), marks[2:]))) == 1
        assert node.outbox.marks() == [marks[1]]
        assert len(await node.accepting.put(wanted[3:], Marks(("d2",), marks[3:]))) == 1
        assert node.outbox.marks() == [marks[3]]
        assert len(writes(node.outbox)) == 3


async def test_nothing_is_answered_that_could_not_be_stored_and_the_next_put_counts_from_what_was(
    file, monkeypatch
):
    async with Node(file) as node:
        await node.put(1)
        with monkeypatch.context() as broken:

            def full(changes):
                raise OutboxFault("disk full")

            broken.setattr(node.outbox, "store", full)
            with pytest.raises(OutboxFault, match="disk full"):
                await node.put(2)
        assert (await node.put(3)).local_version == "eu-1:2"
        assert [write.value for write in writes(node.outbox)] == [1, 3]


async def test_a_caller_that_leaves_disturbs_nobody(file):
    async with Node(file) as node:
        leaving = asyncio.create_task(node.put(1))
        await asyncio.sleep(0)
        leaving.cancel()
        await node.put(2)
        assert {write.value for write in writes(node.outbox)} >= {2}


async def test_a_put_after_the_end_is_refused_and_does_not_hang(file):
    async with Node(file) as node:
        pass
    with pytest.raises(RuntimeError, match="the node is closed"):
        await node.put(1)


async def test_the_event_is_that_which_any_other_writer_of_the_write_would_make(file):
    async with Node(file) as node:
        answer = await node.put({"a": 1}, flags=("user_facing",))
        (unsent,) = node.outbox.unsent(9)
    write = decode(unsent.event).data
    assert decode(unsent.event) == recorded(write, "eu", Residency())
    assert (unsent.priority, answer.context_id) == (100, json.loads(unsent.event)["id"])


class Killed(Exception):
    """The process ends here: nothing after it is done."""


@examples(16)
@given(deaths=st.lists(st.integers(1, 12), max_size=5), count=st.integers(1, 6), at_once=st.integers(1, 3))
async def test_at_whatever_point_it_dies_each_answered_put_is_on_the_log_and_is_read_once(
    folder, deaths, count, at_once
):
    """Between store, send and strike-off, any number of times; what it sends again has the same bytes."""
    file = folder / f"{next(FILES)}.db"
    log, answered, left = [], [], list(range(count))
    for dies_after in (*deaths, 1000):
        steps = iter(range(1, dies_after))

        def step(steps=steps):
            if next(steps, None) is None:
                raise Killed

        outbox = Outbox.open(file, "eu", "eu-1")
        deciding = Deciding(outbox, "eu-1", "eu", Rules(), lambda: 1_000_000)
        try:
            await life(outbox, Accepting(outbox, deciding), (left, answered, log), at_once, step)
        except Killed:
            assert dies_after < 1000  # the last one lives
        finally:
            outbox.close()
    events, entry, counted = {}, None, 0
    for raw in log:
        event = decode(raw)
        assert events.setdefault(event.id, raw) == raw
        entry, standing = absorb(entry, event.data)
        counted += standing == "new"
    assert set(answered) <= set(events)
    assert counted == len(events)
    assert [decode(raw).version for raw in events.values()] == list(range(1, len(events) + 1))


async def life(outbox, accepting, so_far, at_once, step):
    """One process: puts what is left, then drains; `step` may end it between any two things it does."""
    left, answered, log = so_far
    accepting.start()
    try:
        while left:
            step()
            value = left[0]
            (answer,) = await accepting.put([Wanted(PutContext("situational", "k", value, "ann"))])
            left.pop(0)
            step()  # stored, and the answer was lost: nobody puts it again, the log has it all the same
            answered.append(answer.context_id)
        while found := outbox.unsent(at_once):
            step()
            log += [one.event for one in found]
            step()
            await accepting.sent([one.seq for one in found])
    finally:
        await accepting.stop()


async def test_an_answer_to_a_clock_that_runs_wild_does_not_carry_it_to_other_keys(file):
    wild = fold(None, wrote("us-1:1", 1, wall=LATEST - 1))
    async with Node(file) as node:
        await node.put(2, heard=wild)
        await node.put(3, "another")
        await node.put(4)
        answer, other, again = writes(node.outbox)
    assert (answer.wall, again.clock > answer.clock) == (LATEST - 1, True)
    assert other.wall == 1_000_000


async def test_a_count_that_has_no_next_is_refused_and_nothing_is_written(file):
    forged = fold(None, wrote("us-1:1", 1, seen=f"eu-1:{LAST_COUNTER}"))
    async with Node(file) as node:
        with pytest.raises(Refusal, match="counter"):
            await node.put(2, heard=forged)
        assert writes(node.outbox) == []
