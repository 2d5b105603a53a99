"""What every journal must do, the real one and the one in memory. Subclass it and give `journal`."""

import asyncio


class JournalConformance:
    async def test_what_was_never_kept_is_not_there(self, journal):
        assert await journal.read("a") is None

    async def test_the_first_value_of_a_key_stays(self, journal):
        assert await journal.once("a", b"first") == b"first"
        assert await journal.once("a", b"second") == b"first"
        assert await journal.read("a") == b"first"

    async def test_of_many_at_once_one_wins_and_all_are_told_which(self, journal):
        told = await asyncio.gather(*(journal.once("a", bytes([n])) for n in range(20)))
        assert set(told) == {await journal.read("a")}

    async def test_a_value_is_any_bytes_also_none_or_a_million(self, journal):
        for key, value in {"empty": b"", "binary": bytes(range(256)), "large": bytes(1_000_000)}.items():
            assert await journal.once(key, value) == value
            assert await journal.read(key) == value

    async def test_a_prefix_is_forgotten_and_nothing_else(self, journal):
        keys = ("a/1/x", "a/1/y", "a/10/x", "b/a/1/x", "a/1%/x", "a_1/x")
        for key in keys:
            await journal.once(key, key.encode())
        await journal.forget("a/1/")
        kept = [k for k in keys if await journal.read(k)]
        assert kept == ["a/10/x", "b/a/1/x", "a/1%/x", "a_1/x"]

    async def test_a_prefix_is_taken_literally(self, journal):
        await journal.once("a_b/x", b"kept")
        await journal.once("a%b/x", b"kept")
        await journal.once("A/x", b"kept")
        await journal.forget("a?b/")
        await journal.forget("%")
        await journal.forget("axb")
        await journal.forget("a/")
        assert [await journal.read(k) for k in ("a_b/x", "a%b/x", "A/x")] == [b"kept"] * 3

    async def test_what_was_forgotten_can_be_kept_anew(self, journal):
        await journal.once("a/x", b"old")
        await journal.forget("a/")
        assert await journal.once("a/x", b"new") == b"new"
