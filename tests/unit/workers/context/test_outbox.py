"""The outbox: what waits in which order, what a crash leaves, and that one process has it."""

import os
import sqlite3
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.causality.hybrid_clock import Timestamp
from domain.context.state import fold
from domain.refusal import Refusal
from tests.unit.domain.context.given import wrote
from tests.unit.drawing import examples
from workers.outbox import Outbox
from workers.outbox_changes import Changes, Mark, Unsent
from workers.outbox_file import OutboxFault, replica

ENTRY = fold(
    fold(None, wrote("eu-1:1", {"a": [1.0, -0.0, None]})), wrote("us-1:3", "x", beyond={"b": (4, 2)})
)


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("outboxes")


@pytest.fixture
def file(tmp_path):
    return tmp_path / "eu-1.db"


def opened(file, region="eu", node="eu-1"):
    return Outbox.open(file, region, node)


def waiting(seq, priority=50, event=b"e"):
    return Unsent(seq, priority, seq, f"context/eu.immediate.{seq}", event)


@examples(16)
@given(priorities=st.lists(st.sampled_from([0, 30, 50, 100]), max_size=12), at_once=st.integers(1, 5))
def test_it_is_drained_by_priority_and_first_in_first_out_within_one(folder, priorities, at_once):
    file = folder / "order.db"
    file.unlink(missing_ok=True)
    outbox = opened(file)
    try:
        rows = [waiting(seq, priority) for seq, priority in enumerate(priorities, 1)]
        outbox.store(Changes(unsent=rows))
        drained = []
        while found := outbox.unsent(at_once):
            drained += found
            outbox.store(Changes(sent=[one.seq for one in found]))
        assert drained == sorted(rows, key=lambda one: (-one.priority, one.seq))
        assert outbox.waiting == 0
    finally:
        outbox.close()


def test_much_is_stored_and_struck_off_at_once_and_what_was_not_named_stays(file):
    outbox = opened(file)
    rows = [waiting(seq) for seq in range(1, 251)]
    outbox.store(Changes(unsent=rows, entries={f"s{number}": ENTRY for number in range(203)}))
    assert outbox.unsent(1000) == rows
    assert outbox.knows(["s0", "s202", "s203"]) == {"s0", "s202"}
    assert outbox.entries(["s203", "s202"]) == {"s202": ENTRY}
    gone = [249, 2, 3, 100, 250, 101]
    outbox.store(Changes(sent=gone))
    assert [one.seq for one in outbox.unsent(1000)] == [seq for seq in range(1, 251) if seq not in gone]
    assert outbox.waiting == 244
    outbox.close()


def test_one_that_is_more_urgent_is_next_however_much_waits(file):
    outbox = opened(file)
    outbox.store(Changes(unsent=[waiting(seq) for seq in range(1, 9)]))
    assert [one.seq for one in outbox.unsent(2)] == [1, 2]
    outbox.store(Changes(unsent=[waiting(9, 100)]))
    assert [one.seq for one in outbox.unsent(2)] == [9, 1]
    outbox.close()


def test_much_that_waits_is_handed_out_in_portions_that_fit_in_memory(file):
    outbox = opened(file)
    outbox.store(Changes(unsent=[waiting(seq, event=bytes(3 << 20)) for seq in range(1, 5)]))
    assert [one.seq for one in outbox.unsent(100)] == [1, 2, 3]
    outbox.close()


def test_all_of_it_is_there_when_it_is_opened_again(file):
    outbox = opened(file)
    mark = Mark("d", 7, 2)
    outbox.store(Changes([waiting(4)], {"s": ENTRY}, [], Timestamp(9, 3), [mark]))
    outbox.close()
    again = opened(file)
    assert (again.waiting, again.last, again.clock, again.marks()) == (1, 4, Timestamp(9, 3), [mark])
    assert again.unsent(9) == [waiting(4)]
    assert again.entries(["s", "t"]) == {"s": ENTRY}
    assert again.knows(["s", "t"]) == {"s"}
    assert replica(file, ["s", "t"]) == {"s": ENTRY}  # whoever has it open
    again.close()


def test_a_transaction_is_done_wholly_or_not_at_all(file):
    outbox = opened(file)
    outbox.store(Changes(unsent=[waiting(1)]))
    with pytest.raises(OutboxFault, match=r"eu-1\.db cannot be used: UNIQUE"):
        outbox.store(Changes([waiting(2), waiting(1)], {"s": ENTRY}))
    assert (outbox.waiting, outbox.unsent(9), outbox.entries(["s"])) == (1, [waiting(1)], {})
    outbox.store(Changes(unsent=[waiting(2)]))
    assert outbox.waiting == 2
    outbox.close()


def test_a_second_process_is_refused_by_name_until_the_first_has_gone(file):
    hold = (
        "import sys; from pathlib import Path; from workers.outbox import Outbox;"
        "Outbox.open(Path(sys.argv[1]), 'eu', 'eu-1'); print('open', flush=True); sys.stdin.read()"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", hold, str(file)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    with child:
        assert child.stdout.readline() == b"open\n"
        with pytest.raises(Refusal, match=rf"node: process {child.pid} has the outbox of eu-1 open"):
            opened(file)
        assert replica(file, ["s"]) == {}
        child.kill()
    opened(file).close()


def test_the_outbox_of_another_node_or_region_is_refused(file):
    opened(file).close()
    with pytest.raises(Refusal, match=r"node: .*eu-1\.db is the outbox of eu-1, not of eu-2"):
        opened(file, node="eu-2")
    with pytest.raises(Refusal, match=r"region: .* is the outbox of eu, not of us"):
        opened(file, region="us")
    opened(file).close()  # a refusal has let it go


def test_a_file_of_another_version_or_that_is_no_outbox_is_refused(file):
    opened(file).close()
    connection = sqlite3.connect(file)
    connection.execute("PRAGMA user_version = 7")
    connection.close()
    with pytest.raises(Refusal, match="has the format 7, and this version reads 1"):
        opened(file)
    other = file.with_name("other.db")
    other.write_bytes(b"no database at all, but long enough to be looked at" * 30)
    with pytest.raises(OutboxFault, match=r"other\.db cannot be used: file is not a database"):
        opened(other)
    with pytest.raises(OutboxFault, match="cannot be used"):
        replica(other, ["s"])


def test_whatever_is_asked_of_a_file_that_fails_is_answered_by_its_name(file):
    outbox = opened(file)
    other = sqlite3.connect(file, isolation_level=None)
    for table in ("unsent", "replica", "imported"):
        other.execute(f"DROP TABLE {table}")
    other.close()
    for ask in (lambda: outbox.knows(["s"]), outbox.oldest, outbox.marks, lambda: outbox.unsent(1)):
        with pytest.raises(OutboxFault, match=r"eu-1\.db cannot be used: no such table"):
            ask()
    outbox.close()


def test_where_there_is_no_outbox_nothing_is_known_and_none_is_made(file):
    assert replica(file, ["s"]) == {}
    assert not file.exists()


@pytest.mark.parametrize(
    "ask", [lambda o: o.knows({"context/eu.s.a"}), lambda o: o.oldest(), lambda o: o.marks()]
)
def test_a_file_that_is_damaged_while_it_is_open_is_named_by_every_question(file, ask):
    outbox = opened(file)
    outbox._reading.close()
    outbox._reading = sqlite3.connect(":memory:", check_same_thread=False)  # SQLite has it no more
    with pytest.raises(OutboxFault, match=r"the outbox .*eu-1\.db cannot be used: no such table"):
        ask(outbox)
    outbox.close()
