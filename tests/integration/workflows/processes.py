"""The real processes over real servers, and the `moot` command against them."""

import asyncio
import json
import os
import sys
import uuid
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from domain.event import Event
from eventlog.codec import decode
from eventlog.reader import LogReader
from eventlog.topic_setup import ensure_topics
from workers import ready

MOOT = [sys.executable, "-P", "-m", "cli.main"]
DEADLINE = 30.0


class Stack:
    """Where the servers are, and the commands run against them."""

    def __init__(self, environ: dict[str, str], data: Path) -> None:
        self.environ, self.data = environ, data

    async def moot(self, *args: str, stdin: bytes = b"", **more: str) -> tuple[int, str, str]:
        process = await asyncio.create_subprocess_exec(
            *MOOT,
            *args,
            env={**self.environ, **more},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await asyncio.wait_for(process.communicate(stdin), DEADLINE)
        return process.returncode, out.decode(), err.decode()

    async def json(self, *args: str, stdin: bytes = b""):
        code, out, err = await self.moot(*args, "--json", stdin=stdin)
        assert code == 0, err
        return json.loads(out)

    @asynccontextmanager
    async def worker(
        self, name: str = "orchestrator", *args: str, cwd: Path | None = None, typed: bytes | None = None
    ):
        ready.withdraw(self.data, name)
        log = self.data / f"{name}-{uuid.uuid4().hex[:8]}.log"
        with log.open("wb") as stderr:
            process = await asyncio.create_subprocess_exec(
                *MOOT,
                "worker",
                name,
                *args,
                env=self.environ,
                cwd=cwd,
                stdin=None if typed is None else asyncio.subprocess.PIPE,
                stderr=stderr,
            )
            if typed is not None:
                process.stdin.write(typed)
        try:
            async with asyncio.timeout(DEADLINE):
                while ready.ready_pid(self.data, name) != process.pid:
                    assert process.returncode is None, log.read_text()
                    await asyncio.sleep(0.05)
            yield process
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()

    async def events(self, stream: str) -> list[Event]:
        """Every record of the stream on Kafka, in order, doubled ones too."""
        found = []
        async with LogReader(self.environ["FOLKMOOT_KAFKA"], self.environ["FOLKMOOT_TOPIC_PREFIX"]) as reader:
            for partition in await reader.partitions("decisions"):
                start, end = await reader.beginning_and_end("decisions", partition)
                async for batch in reader.batches("decisions", partition, start, end):
                    found += [decode(record.value) for record in batch if record.key == stream.encode()]
        return found


@pytest.fixture
async def stack(kafka, temporal, database, topic_prefix, tmp_path):
    await ensure_topics(kafka, topic_prefix)
    own = {
        "FOLKMOOT_KAFKA": kafka,
        "FOLKMOOT_DATABASE_URL": database,
        "FOLKMOOT_TOPIC_PREFIX": topic_prefix,
        "FOLKMOOT_DATA": str(tmp_path),
        "TEMPORAL_ADDRESS": temporal,
        "PYTHONPATH": str(Path(__file__).parents[3]),
    }
    inherited = {name: os.environ[name] for name in ("PATH", "HOME", "JAVA_HOME") if name in os.environ}
    return Stack({**inherited, **own}, tmp_path)
