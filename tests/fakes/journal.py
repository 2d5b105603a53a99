"""A journal in memory; it passes the same conformance tests as the real one."""


class MemoryJournal:
    """`kept` outlives whoever uses it, as a file would."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    async def once(self, key: str, value: bytes) -> bytes:
        return self.kept.setdefault(key, value)

    async def read(self, key: str) -> bytes | None:
        return self.kept.get(key)

    async def forget(self, prefix: str) -> None:
        for key in [key for key in self.kept if key.startswith(prefix)]:
            del self.kept[key]
