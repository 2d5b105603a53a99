"""How versions of models look at a terminal."""

from typing import Any

from domain.counting import agreeing, counted
from domain.strict_json import printable


def rows(data: list[dict[str, Any]]) -> str:
    """A line for each model."""
    if not data:
        return "no model is known to the read model; a cycle publishes one"
    lines = []
    for row in data:
        name = row["stream"].partition("/")[2]
        tried = f", {row['canary']} is tried" if row["canary"] else ""
        told = counted(row["versions"], "version")
        lines.append(f"{name}: {told}, {row['active'] or 'none'} serves{tried}")
    return "\n".join(lines)


def model(data: dict[str, Any], version: str | None) -> str:
    """Who serves, then the tree of lineages; or one version, and its rounds."""
    if version is not None:
        return _one(next(one for one in data["versions"] if one["version"] == version), data["rounds"])
    canary = data["canary"]
    tried = f", {canary['version']} is tried on {canary['share']:.0%} of the nodes" if canary else ""
    drifts = f"; {counted(data['drifts'], 'drift')} seen" if data["drifts"] else ""
    lines = [f"{data['model']}: {data['active'] or 'no version'} serves{tried}{drifts}"]
    return "\n".join([*lines, *_tree(data["versions"], None, "")])


def _tree(versions: list[dict[str, Any]], parent: str | None, indent: str) -> list[str]:
    lines: list[str] = []
    children = [one for one in versions if one["parent"] == parent]
    for number, one in enumerate(children, 1):
        last = number == len(children)
        branch, below = ("", "") if parent is None else (("└─ ", "   ") if last else ("├─ ", "│  "))
        lines += [f"{indent}{branch}{_line(one)}", *_tree(versions, one["version"], indent + below)]
    return lines


def _line(one: dict[str, Any]) -> str:
    metrics = [f"{name} {one[name]:.4g}" for name in ("loss", "accuracy") if one[name] is not None]
    told = [one["status"].replace("_", " "), *metrics, f"of cycle {one['cycle']}"]
    why = printable(one["reason"], 200)
    who = f" by {printable(one['by'], 60)}" if one["by"] else ""
    return f"{one['version']}  {', '.join(told)}{who}" + (f": {why}" if why else "")


def _one(one: dict[str, Any], rounds: list[dict[str, Any]]) -> str:
    digests = one["digests"] or {}
    lines = [
        _line(one),
        f"  parent {one['parent'] or 'none: it began anew'}, {counted(one['participants'], 'participant')}",
        f"  model digest {one['digest']}",
        f"  lineage file {one['lineage']['sha256']} ({printable(one['lineage']['uri'], 200)})",
        *(
            f"  {name.replace('_', ' ')} {value or 'unknown: there was no holdout'}"
            for name, value in digests.items()
        ),
    ]
    for told in (each for each in rounds if each["version"] == one["version"]):
        metrics = [f"{name} {told[name]:.4g}" for name in ("loss", "accuracy") if told[name] is not None]
        lines.append(
            f"  round {told['round']}: {', '.join(metrics) or 'not evaluated'}, {told['clients']} clients"
        )
    return "\n".join(lines)


def told(data: dict[str, Any]) -> str:
    """What was recorded of a command, and who serves now."""
    canary = f", {data['canary']} is tried" if data["canary"] else ""
    now = f"{data['active'] or 'no version'} of {data['model']} serves{canary}"
    events = data["event_ids"]
    return f"{now}; event {', '.join(events)}" if events else f"{now}, as before; nothing was written"


def observed(data: dict[str, Any]) -> str:
    """What was fed, and whether a drift was found in it."""
    fed = f"{agreeing(data['losses'], 'loss', 'losses')} of {data['model']}"
    lines = [f"{fed} recorded" if data["event_ids"] else f"{fed} were recorded before; nothing was written"]
    for drift in data["drifts"]:
        rose = f"the loss rose from {drift['before']:.4g} to {drift['after']:.4g}"
        then = {"say": "nothing follows", "roll_back": "rolled back", "cycle": "a cycle is started"}[
            drift["then"]
        ]
        why = f" ({printable(drift['reason'], 200)})" if drift["reason"] else ""
        lines.append(f"drift: {rose}; {then}{why}")
    if data["unlooked"]:
        why = printable(data["unlooked"].removeprefix("Refusal: "), 200)
        lines.append(f"a drift was not looked for, or not acted on: {why}")
    return "\n".join(lines)


def unreferenced(data: dict[str, Any]) -> str:
    """Every artifact that could be taken out, and what the look came to."""
    lines = [f"{one['sha256']}  {one['bytes']:>12,}  {one['changed_at']}" for one in data["unreferenced"]]
    weight = sum(one["bytes"] for one in data["unreferenced"])
    looked = f"{counted(data['stored'], 'artifact')} looked at, {counted(data['records'], 'record')} read"
    kept = f"{data['referenced']:,} referred to, {data['young']:,} kept as too young"
    marked = data["marked_at"]
    held = [f"all are kept while this log's mark in the store, of {marked}, is young: see --grace"]
    return "\n".join(
        [
            *lines,
            f"{looked}: {kept}, {len(lines):,} unreferenced ({weight:,} bytes)",
            *(held if marked is not None and marked > data["before"] else []),
        ]
    )


def collected(data: dict[str, Any]) -> str:
    """What was done about it."""
    if data["removed"] is not None:
        return f"{counted(data['removed'], 'artifact')} taken out"
    if not data["unreferenced"]:
        return "nothing to take out"
    return "a dry run: nothing was taken out; --yes takes out what is listed"
