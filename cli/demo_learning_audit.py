"""The audit part of the learning demo: verified, taken again, and one changed update found."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cli.demo_audit import Shell
from domain.learning.events import UpdatesCollected
from domain.refusal import Refusal
from domain.stream import learning_stream

REPLAYED = ("fedavg-killed", "private", "secure", "robust")
TAMPERED = "robust"


async def show(shell: Shell, artifacts: Path, cycles: Mapping[str, str]) -> dict[str, Any]:
    """`cycles`: the id of each run's cycle by the run's name, of those that were run."""
    await shell.run("audit", "verify")
    for name in REPLAYED:
        if name in cycles:
            await shell.run("audit", "replay", learning_stream(cycles[name]))
    found = await _tampered(shell, artifacts, learning_stream(cycles[TAMPERED]))
    return {"verified": True, "replayed": [name for name in REPLAYED if name in cycles], "found": found}


async def _tampered(shell: Shell, artifacts: Path, stream: str) -> str:
    """Change the last byte of one stored update, and change it back; what the replay says meanwhile."""
    trail = json.loads(await shell.run("audit", "trail", stream, "--json", quiet=True))
    report = next(event["data"]["reports"][0] for event in trail if event["type"] == UpdatesCollected.TYPE)
    file = artifacts / report["sha256"][:2] / report["sha256"]
    if not file.exists():
        raise Refusal("demo learning", f"the update {report['sha256'][:12]} is not in {artifacts}")
    before = file.read_bytes()
    shell.say(
        f"   the last byte of {report['client']}'s first update changed in the store, {file.name[:12]}:"
    )
    file.write_bytes(before[:-1] + bytes([before[-1] ^ 1]))
    try:
        said = await shell.run("audit", "replay", stream, "--log-only", refused=True)
    finally:
        file.write_bytes(before)
    return said.strip().splitlines()[0]
