"""How `moot conflict` looks at a terminal."""

from typing import Any

from domain.counting import counted
from domain.strict_json import printable


def opened(data: dict[str, Any]) -> str:
    return f"opened {data['workflow_id']}; follow it with `moot conflict watch {data['id']}`"


def result(data: dict[str, Any]) -> str:
    climbed = counted(data["escalations"], "escalation")
    final = ", finally" if data["final_authority"] else ""
    return "\n".join(
        [
            f"{data['id']}: {printable(data['resolution'], 300)}",
            f"  level {data['level_used']} by {data['authority']}{final}, {climbed}",
            *(f"  {printable(reason, 300)}" for reason in data["reasons"]),
            *([f"  not applied: {printable(data['unapplied'], 300)}"] if data.get("unapplied") else []),
        ]
    )


def told(data: dict[str, Any], what: str) -> str:
    """What was recorded of a command."""
    events = data["event_ids"]
    return f"{what}, event {', '.join(events)}" if events else f"{what} before; nothing was written"


def rows(data: list[dict[str, Any]], limit: int, width: int) -> str:
    """A line each; the stream, which other commands ask for, is whole, the question takes what is left."""
    if not data:
        return "no case is known to the read model"
    table = [("stream", "status", "level", "region"), *map(_cells, data)]
    one, two, three, four = (max(map(len, column)) for column in zip(*table, strict=True))
    left = max(width - (one + two + three + four + 8), 20)
    questions = ["question", *(printable(row["question"], left) for row in data)]
    lines = [
        f"{stream:{one}}  {status:{two}}  {level:>{three}}  {region:{four}}  {question}"
        for (stream, status, level, region), question in zip(table, questions, strict=True)
    ]
    return "\n".join([*lines, *([f"the newest {limit:,}; --limit shows more"] if len(data) == limit else [])])


def _cells(row: dict[str, Any]) -> tuple[str, str, str, str]:
    return row["stream"], row["ended"] or row["status"], str(row["level"]), printable(row["region"], 20)


def recorded(row: dict[str, Any]) -> str:
    """A case as the read model has it, whose workflow Temporal no longer keeps."""
    lines = [printable(row["question"], 400)]
    for told_ in row["state"]:
        if told_["type"] == "conflict.ruled.v1":
            data = told_["data"]
            said = f"{data['authority']} ruled {data['choice'] or data['resolution']}"
            lines.append(f"Level {data['level']}: {printable(said, 300)}.")
        elif told_["type"] == "conflict.unresolved.v1":
            lines.append(printable(told_["data"]["reason"], 600))
        elif told_["type"] == "conflict.withdrawn.v1":
            lines.append(f"Withdrawn, nothing is decided: {printable(told_['data']['reason'], 300)}")
    if row["resolution"] is not None:
        lines.append(f"Resolved at level {row['level']}: {printable(row['resolution'], 300)}.")
    elif row["closed_at"] is None:
        lines.append(f"Not closed when the tables were last written: {row['status']}.")
    return "\n".join(lines)
