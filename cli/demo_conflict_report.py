"""How the conflict demo shows regions, rules and hashes."""

from collections.abc import Iterable, Mapping
from typing import Any

from cli.demo_timezones import REGION_OF
from domain.context.canonical import canonical
from domain.counting import counted
from domain.strict_json import printable
from projections.context_hash import RegionHash
from workers.context_reading import Found


def nodes() -> dict[str, list[str]]:
    """The writers of each region."""
    found: dict[str, list[str]] = {}
    for node, region in REGION_OF.items():
        found.setdefault(region, []).append(node)
    return found


def hashes(found: Iterable[RegionHash]) -> str:
    lines = [f"   {one.region:<7} {one.digest}  {counted(one.writes, 'write')}" for one in found]
    equal = len({one.digest for one in found}) == 1
    return "\n".join([*lines, f"   {'equal' if equal else 'different'}"])


def digests(found: Iterable[RegionHash]) -> dict[str, Any]:
    told = {one.region: one.digest for one in found}
    return {"equal": len({*told.values()}) == 1, "hashes": told}


def by_rule(read: Mapping[str, Found]) -> dict[str, str | None]:
    """Which rule settled each key; null where none did."""
    return {key: one.resolution.resolution if one.resolution else None for key, one in read.items()}


def settled(read: Mapping[str, Found]) -> str:
    """One line a key, and of the names, which are all alike, one line for all."""
    alike = {key: one for key, one in read.items() if one.layer == "cultural"}
    lines = [_line(key, one) for key, one in read.items() if key not in alike]
    names = ", ".join(f"{one.value}" for one in alike.values())
    by = {one.resolution.resolution for one in alike.values() if one.resolution}
    lines.append(f"   cultural     {len(alike)} names: {', '.join(map(str, by))}\n     {names}")
    rules = [*by_rule(read).values()]
    settled = len(rules) - rules.count(None)
    lines.append(
        f"   of {len(rules)} keys {settled} are settled by their layer's rule, at no cost of a workflow;"
    )
    lines.append(f"   {rules.count(None)} open a case")
    return "\n".join(lines)


def _line(key: str, one: Found) -> str:
    resolution = one.resolution
    if resolution is None:
        return f"   {one.layer:<12} {key}: not in conflict"
    if resolution.resolution is None:
        return f"   {one.layer:<12} {key}: {resolution.reason}; a case opens"
    value = one.value
    said = f"{len(value)} events" if isinstance(value, list) else printable(canonical(value), 90)
    return f"   {one.layer:<12} {key}: {resolution.resolution} of {len(one.siblings)} siblings\n     {said}"
