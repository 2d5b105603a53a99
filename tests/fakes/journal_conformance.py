"""What every journal must do, the real one and the one in memory: subclass it and give `journal`."""

import asyncio


class JournalConformance:
    async def test_what_was_first_stands(self, journal):
        assert await journal.once("mask/1", b"first") == b"first"
        assert await journal.once("mask/1", b"second") == b"first"
        assert await journal.read("mask/1") == b"first"

    async def test_a_repeat_changes_nothing(self, journal):
        assert [await journal.once("mask/1", b"first") for _ in range(3)] == [b"first"] * 3

    async def test_nothing_stands_under_a_key_that_was_not_kept(self, journal):
        await journal.once("mask/1", b"first")
        assert await journal.read("mask/2") is None
        assert await journal.read("mask/") is None

    async def test_any_bytes_come_back_as_they_were(self, journal):
        for n, value in enumerate([b"", b"\0\xff", bytes(100_000)]):
            assert await journal.once(f"k/{n}", value) == value
            assert await journal.read(f"k/{n}") == value

    async def test_a_prefix_is_forgotten_and_nothing_beside_it(self, journal):
        keys = ["a/1", "a/10", "a/2", "a", "b/1", "aa/1", "a_1"]
        for key in keys:
            await journal.once(key, key.encode())
        await journal.forget("a/1")
        assert [key for key in keys if await journal.read(key) is None] == ["a/1", "a/10"]
        await journal.forget("a/")
        assert [key for key in keys if await journal.read(key)] == ["a", "b/1", "aa/1", "a_1"]

    async def test_what_was_forgotten_may_be_kept_anew(self, journal):
        await journal.once("a/1", b"old")
        await journal.forget("a/")
        assert await journal.once("a/1", b"new") == b"new"

    async def test_of_many_at_once_one_stands_for_all(self, journal):
        answers = await asyncio.gather(*(journal.once("mask/1", b"%d" % n) for n in range(30)))
        assert len(set(answers)) == 1
        assert await journal.read("mask/1") == answers[0]
