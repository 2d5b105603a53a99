"""The audit part of the demo: the commands an auditor would type, and what the log itself says."""

import asyncio
import json
import shlex
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path
from typing import Any

from cli.output import columns, folded
from domain.consensus.events import Decided
from domain.refusal import Refusal
from domain.stream import items_prefix
from eventlog.codec import decode
from eventlog.reader import LogReader
from eventlog.undecodable import Undecodable
from projections.queries import Queries
from workers.embedded.worker import moot
from workers.settings import Settings

Say = Callable[[str], None]
MINUTE = 60.0


async def count_docket(settings: Settings, docket: str, items: int, within: float) -> dict[str, int]:
    """How often each item of a docket was decided, by the log and by Postgres once it has caught up."""
    ids: dict[str, Counter[str]] = {}
    async with LogReader(settings.kafka, settings.topic_prefix) as reader:
        for partition in await reader.partitions("decisions"):
            start, end = await reader.beginning_and_end("decisions", partition)
            async with aclosing(reader.batches("decisions", partition, start, end)) as batches:
                async for batch in batches:
                    for record in batch:
                        _count(record.value, items_prefix(docket), ids)
    return {
        "items": items,
        "decided": len(ids),
        "lost": items - len(ids),
        "doubled": sum(len(found) > 1 for found in ids.values()),
        "repeated": sum(sum(found.values()) - len(found) for found in ids.values()),
        "projected": await _projected(settings, docket, items, within),
    }


def _count(value: bytes, stream: str, ids: dict[str, Counter[str]]) -> None:
    try:
        event = decode(value)
    except Undecodable:
        return
    if event.stream.startswith(stream) and isinstance(event.data, Decided):
        ids.setdefault(event.stream, Counter())[event.id] += 1


async def _projected(settings: Settings, docket: str, items: int, within: float) -> int:
    until = time.monotonic() + within
    async with Queries(settings.database_url) as queries:
        while True:
            seen = await queries.decided_in(docket)
            if seen >= items or time.monotonic() > until:
                return seen
            await asyncio.sleep(0.1)


async def show(say: Say, stream: str) -> dict[str, Any]:
    """Verify everything, prove one event offline, find one changed byte."""
    say("\n4. The audit: trust nothing that cannot be recomputed")
    with tempfile.TemporaryDirectory(prefix="moot-demo-") as folder:
        shell = Shell(say, folder)
        await shell.run("audit", "verify")
        trail = json.loads(await shell.run("audit", "trail", stream, "--json", quiet=True))
        event = trail[-1]["id"]
        say(f"   the decision on patient 2 is event {event}")
        found = await _prove(shell, Path(folder), event)
        found |= await _tamper(shell, Path(folder))
    return {"verified": True, "event": event, **found}


async def _prove(shell: "Shell", folder: Path, event: str) -> dict[str, Any]:
    shell.say("   one proof, checked from two files and the public key alone, no server asked:")
    key = (await shell.run("audit", "key", quiet=True)).strip()
    proof = folder / "patient-2"
    await shell.run("audit", "prove", event, "-o", str(proof))
    await shell.run("audit", "check", f"{proof}.tlog-proof", "--key", key)
    _change_leaf(Path(f"{proof}.leaf"))
    shell.say("   one byte of the event changed:")
    await shell.run("audit", "check", f"{proof}.tlog-proof", "--key", key, refused=True)
    return {"proof": "accepted, and refused after one byte of the leaf was changed"}


def _change_leaf(leaf: Path) -> None:
    leaf.write_bytes(leaf.read_bytes().replace(b"consensus", b"Consensus", 1))


async def _tamper(shell: "Shell", folder: Path) -> dict[str, Any]:
    shell.say("   one byte changed in a copy of the whole log:")
    copy = folder / "copy"
    await shell.run("audit", "export", str(copy), quiet=True)
    changed = change_one_byte(copy)
    said = await shell.run("audit", "verify", "--from", str(copy), refused=True)
    return {"tampered": changed, "found": said.strip().splitlines()[0]}


def change_one_byte(copy: Path) -> str:
    """Flip one bit in the largest file of records of an exported log; which file."""
    largest = max((f for f in copy.rglob("*") if f.is_file()), key=lambda f: f.stat().st_size)
    raw = bytearray(largest.read_bytes())
    place = raw.index(b'"majority":', len(raw) // 2) + 2
    raw[place] ^= 0x20
    largest.write_bytes(raw)
    return largest.name


class Shell:
    """Runs `moot` as a user in `folder` would, and shows the command with what it printed."""

    def __init__(self, say: Say, folder: str) -> None:
        self.say = say
        self._folder = folder

    async def run(self, *words: str, quiet: bool = False, refused: bool = False) -> str:
        process = await asyncio.create_subprocess_exec(
            *map(str, moot(*words)), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        async with asyncio.timeout(MINUTE):
            out, err = await process.communicate()
        text = (out + (err if refused else b"")).decode(errors="replace")
        if not quiet:
            self._show(f"   $ moot {shlex.join(words)}")
            for line in text.strip().splitlines():
                self._show(f"     {line}")
        if (process.returncode != 0) != refused:
            last = (err or out).decode(errors="replace").strip().splitlines()
            raise Refusal(f"moot {words[0]} {words[1]}", last[-1] if last else f"status {process.returncode}")
        return text

    def _show(self, line: str) -> None:
        self.say(folded(line.replace(f"{self._folder}/", ""), columns()))
