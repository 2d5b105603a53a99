"""A journal in memory, which passes the conformance suite of the real one."""


class MemoryJournal:
    def __init__(self, entries: dict[str, bytes] | None = None) -> None:
        """Another one over the same `entries` goes on with them, as a process that was started again."""
        self.entries = {} if entries is None else entries

    async def once(self, key: str, value: bytes) -> bytes:
        return self.entries.setdefault(key, value)

    async def read(self, key: str) -> bytes | None:
        return self.entries.get(key)

    async def forget(self, prefix: str) -> None:
        for key in [key for key in self.entries if key.startswith(prefix)]:
            del self.entries[key]
