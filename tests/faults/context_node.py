"""A node as a process of its own, whose clock is wrong by so much; puts and gets by lines at a socket."""

import asyncio
import json
from pathlib import Path
from typing import Any

import msgspec

from domain.refusal import Refusal
from workers import log
from workers.context_client import ContextClient, now_ms
from workers.settings import load


def main(region: str, node: str, skew_ms: str, door: str) -> None:
    """Serve at the socket `door` until killed."""
    log.set_up(node)
    Path(door).unlink(missing_ok=True)  # what a killed one left
    asyncio.run(_serve(region, node, int(skew_ms), door))


async def _serve(region: str, node: str, skew_ms: int, door: str) -> None:
    settings = load(needs=("kafka",))
    async with ContextClient(settings, region, node, within=10.0, clock=lambda: now_ms() + skew_ms) as client:

        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            async for line in reader:
                writer.write(msgspec.json.encode(await _answer(client, json.loads(line))) + b"\n")
                await writer.drain()

        async with await asyncio.start_unix_server(talk, door) as server:
            await server.serve_forever()


async def _answer(client: ContextClient, asked: dict[str, Any]) -> dict[str, Any]:
    try:
        match asked.pop("do"):
            case "put":
                answer = await client.put(**asked)
                return {"event": answer.context_id, "version": answer.local_version}
            case "get":
                found = await client.get(**asked)
                return {"version": found.version, "value": found.value, "projected": found.projected}
            case _:
                return {"left": await client.drained(asked["within"])}
    except Refusal as refusal:
        return {"refused": str(refusal)}
    except OSError as fault:
        return {"fault": str(fault)}
