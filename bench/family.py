"""The processes of a stack: what each has in memory, and what it has had of the processor."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_KNOWN = {
    "worker orchestrator": "orchestrator",
    "worker projector": "projector",
    "kafka.Kafka": "kafka",
    "postgres": "postgres",
    "start-dev": "temporal",
    "moot dev": "moot dev",
}


def megabytes(root: int) -> dict[str, float]:
    """Proportional set size in MB by name, of `root` and all its descendants; shared pages count once."""
    return _sums(root, _pss)


def processor_seconds(root: int) -> dict[str, float]:
    """What each has used of the processor, with what its ended children have."""
    return _sums(root, _spent)


def _sums(root: int, of: Callable[[int], float]) -> dict[str, float]:
    found: dict[str, float] = {}
    for pid in family(root):
        name = _named(pid)
        found[name] = found.get(name, 0.0) + of(pid)
    return found


def family(root: int) -> Iterator[int]:
    """`root` and all its descendants."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        fields = _stat(int(entry.name))
        if fields:
            children.setdefault(int(fields[1]), []).append(int(entry.name))
    waiting = [root]
    while waiting:
        pid = waiting.pop()
        waiting += children.get(pid, [])
        yield pid


def _stat(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    except OSError:
        return []


def _spent(pid: int) -> float:
    fields = _stat(pid)
    return sum(map(int, fields[11:15])) / _TICKS if fields else 0.0


def _named(pid: int) -> str:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return "other"
    line = " ".join(words)
    return next((name for mark, name in _KNOWN.items() if mark in line), Path(words[0]).name or "other")


def _pss(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("Pss:")), 0.0)
