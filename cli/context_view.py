"""How `moot context` looks at a terminal."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from domain.counting import counted
from domain.strict_json import printable
from workers.context_log import Told
from workers.deciding import Accepted

_WIDTH = 200
_VERSION = 10_000  # to be handed back, so whole for all but a flood of siblings


def accepted(answer: Accepted) -> str:
    lines = [f"stored {answer.context_id}, version {printable(answer.local_version, _VERSION)}"]
    if answer.conflicts_detected:
        beside = f"beside {counted(answer.conflicts_detected, 'other write')}"
        how = "waits for a decision" if answer.requires_remote_resolution else "settled by the layer's rule"
        lines.append(f"  {beside}: {how}")
    return "\n".join(lines)


def found(data: dict[str, Any]) -> str:
    """`data` as `moot context get --json` prints it."""
    siblings, resolution = data["siblings"], data["resolution"]
    head = _value(data["value"]) if data["present"] else "no value: siblings that no rule settles"
    lines = [head, f"  version {printable(data['version'], _VERSION)}"]
    if resolution is not None:
        how = resolution["resolution"] or "undecided"
        where = ", ".join(pointer for pointer in resolution["contradictions"] if pointer)
        reason = f"{resolution['reason']} in {where}" if where else resolution["reason"]
        lines.append(f"  {how}: {printable(reason, 300)}")
    lines += [f"  {_line(one)}{_said(one, siblings)}" for one in siblings]
    if data["awaited"]:
        lines.append(f"  not here yet: {printable(', '.join(data['awaited']), 300)}")
    if data["staleness_seconds"] is not None:
        lines.append(f"  staleness {data['staleness_seconds']:.1f} s")
    if not data["present"] and data["staleness_seconds"] is not None:
        lines.append("  `moot conflict list` shows its case; a put --if-version of this version settles it")
    return "\n".join(lines)


def _said(write: dict[str, Any], siblings: Sequence[Any]) -> str:
    """What one of several says; one alone is the value."""
    return f"  {_value(write['value'])}" if len(siblings) > 1 else ""


def told(one: Told) -> str:
    """A line of history."""
    return f"{_line(asdict(one.write))}  {_value(one.write.value)}  {one.standing}"


def told_data(one: Told) -> dict[str, Any]:
    """A line of history as JSON values."""
    place = {"context_id": one.event, "partition": one.partition, "offset": one.offset}
    return {"at": _iso(one.at), **place, "standing": one.standing, **asdict(one.write)}


def _line(write: dict[str, Any]) -> str:
    at = _iso(datetime.fromtimestamp(write["wall"] / 1000, UTC))
    flags = f" ({', '.join(write['flags'])})" if write["flags"] else ""
    by = f"by {printable(write['writer'], 60)} in {printable(write['region'], 40)}"
    return f"{at}  {printable(write['node'], 160)}:{write['counter']}  {by}{flags}"


def _value(value: Any) -> str:
    return printable(json.dumps(value, ensure_ascii=False), _WIDTH)


def _iso(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
