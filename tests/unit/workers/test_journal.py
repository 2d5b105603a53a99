"""The journal of a node: durable, private, and the first to keep a key has it, in whichever process."""

import asyncio
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fakes.journal import MemoryJournal
from tests.fakes.journal_conformance import JournalConformance
from workers.journal import JournalFault, SqliteJournal

ROOT = Path(__file__).parents[3]
WRITES_AND_IS_KILLED = """
import asyncio, os, signal, sys
from pathlib import Path
from workers.journal import SqliteJournal

async def main():
    journal = SqliteJournal(Path(sys.argv[1]))
    for number in range(40):
        stands = await journal.once(f"k/{number}", sys.argv[2].encode())
        if stands == sys.argv[2].encode():
            print(number, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
"""


class TestInMemory(JournalConformance):
    @pytest.fixture
    def journal(self):
        return MemoryJournal()


class TestOnDisk(JournalConformance):
    @pytest.fixture
    def journal(self, tmp_path):
        with SqliteJournal(tmp_path / "node" / "journal.db") as journal:
            yield journal


@pytest.fixture
def file(tmp_path):
    return tmp_path / "node" / "journal.db"


async def test_nobody_else_may_read_it(file):
    file.parent.mkdir(mode=0o755)
    with SqliteJournal(file) as journal:
        await journal.once("k", b"secret")
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in file.parent.iterdir()}
    assert modes.keys() >= {"journal.db", "journal.db-wal"}
    assert set(modes.values()) == {0o600}
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


async def test_every_entry_waits_for_the_disk(file):
    with SqliteJournal(file) as journal:
        assert journal._own.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert journal._own.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL


async def test_it_is_there_again_when_it_is_opened_again(file):
    with SqliteJournal(file) as journal:
        await journal.once("k", b"kept")
    with SqliteJournal(file) as journal:
        assert await journal.once("k", b"other") == b"kept"


async def test_two_that_have_the_same_file_open_agree(file):
    with SqliteJournal(file) as one, SqliteJournal(file) as other:
        answers = await asyncio.gather(
            *(
                journal.once(f"k/{n}", name)
                for n in range(10)
                for journal, name in ((one, b"1"), (other, b"2"))
            )
        )
    assert answers[::2] == answers[1::2]


async def test_what_is_forgotten_is_nowhere_in_its_files(file):
    with SqliteJournal(file) as journal:
        await journal.once("share/1", b"a planted value")
        found = b"".join(path.read_bytes() for path in file.parent.iterdir())
        assert b"a planted value" in found
        await journal.forget("share/")
        assert b"a planted value" not in b"".join(path.read_bytes() for path in file.parent.iterdir())


def test_processes_killed_hard_have_promised_each_key_to_one_of_them_for_ever(file):
    command = [sys.executable, "-c", WRITES_AND_IS_KILLED, str(file)]
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    writers = {
        name: subprocess.Popen([*command, name], env=environ, stdout=subprocess.PIPE) for name in ("a", "b")
    }
    claimed = {name: process.communicate(timeout=30)[0].split() for name, process in writers.items()}
    assert {process.returncode for process in writers.values()} == {-signal.SIGKILL}
    assert sorted(map(int, claimed["a"] + claimed["b"])) == list(range(40))
    with SqliteJournal(file) as journal:
        for name, numbers in claimed.items():
            for number in numbers:
                assert asyncio.run(journal.read(f"k/{int(number)}")) == name.encode()


async def test_a_file_that_is_no_journal_is_named(file):
    file.parent.mkdir()
    file.write_bytes(b"a letter" * 1000)
    with pytest.raises(JournalFault, match=r"journal\.db cannot be used: file is not a database"):
        SqliteJournal(file)


async def test_a_failed_entry_leaves_the_journal_usable(file):
    with SqliteJournal(file) as journal:
        journal._own.execute("PRAGMA query_only=ON")
        with pytest.raises(JournalFault):
            await journal.once("k", b"v")
        journal._own.execute("PRAGMA query_only=OFF")
        assert await journal.once("k", b"v") == b"v"
