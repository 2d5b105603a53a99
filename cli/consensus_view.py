"""How `moot consensus` looks at a terminal."""

from typing import Any

from domain.counting import counted, share
from domain.strict_json import printable


def started(data: dict[str, Any]) -> str:
    return f"started {data['workflow_id']}; follow it with `moot consensus watch {data['id']}`"


def outcome(data: dict[str, Any]) -> str:
    decided = data["consensus"]
    said = printable(decided) if decided is not None else f"no choice, leading {_leading(data['leading'])}"
    voted = f"{len(data['participating_nodes'])} of {len(data['panel'])} voted"
    numbers = f"agreement {share(data['agreement'])}, rounds {data['rounds_required']}, {voted}"
    seconds = data["time_to_consensus"]
    took = f"{seconds:.3f} s" if seconds else "at once"  # all ballots were recorded, nobody was waited for
    return "\n".join(
        [
            f"{data['id']}: {data['status']}: {said}",
            f"  {numbers}, {took}",
            f"  by {data['authority']}: {printable(data['reason'], 300)}",
        ]
    )


def rows(data: list[dict[str, Any]], limit: int, width: int) -> str:
    """A line each; what other commands ask for, the stream, is whole, and the question takes what is left."""
    if not data:
        return "no deliberation is known to the read model"
    table = [("stream", "status", "consensus", "agreement"), *map(_cells, data)]
    one, two, three, four = (max(map(len, column)) for column in zip(*table, strict=True))
    left = max(width - (one + two + three + four + 8), 20)
    questions = ["question", *(printable(row["question"], left) for row in data)]
    lines = [
        f"{stream:{one}}  {status:{two}}  {consensus:{three}}  {agreement:>{four}}  {question}"
        for (stream, status, consensus, agreement), question in zip(table, questions, strict=True)
    ]
    return "\n".join([*lines, *([f"the newest {limit:,}; --limit shows more"] if len(data) == limit else [])])


def _cells(row: dict[str, Any]) -> tuple[str, str, str, str]:
    agreement = "" if row["agreement"] is None else share(row["agreement"])
    return row["stream"], row["ended"] or row["status"], printable(row["consensus"] or "", 20), agreement


def recorded(row: dict[str, Any]) -> str:
    """A deliberation as the read model has it: an item of a docket has no workflow to ask."""
    state = row["state"]
    lines = [printable(row["question"], 400)]
    if row["docket"] is not None:
        voters = counted(len(state["panel"]), "voter")
        lines.append(f"Item {printable(row['item'])} of docket {row['docket']}, {voters}.")
    for closed in state.get("rounds", ()):
        tally = ", ".join(f"{printable(s['choice'])} {s['ballots']}" for s in closed["tally"][:10])
        lines.append(f"Round {closed['round']}: {tally or 'no ballot'}; {printable(closed['reason'], 300)}.")
    outcome = state.get("outcome")
    if state.get("withdrawn") is not None:
        lines.append(f"Withdrawn, nothing is decided: {printable(state['withdrawn']['reason'], 300)}")
    elif outcome is None:
        lines.append(f"Not decided when the tables were last written: {row['status']}.")
    elif row["consensus"] is None:
        lines.append(f"Unresolved, leading {_leading(outcome['leading'])}.")
    else:
        lines.append(f"Decided by {outcome['authority']}: {printable(row['consensus'])}.")
    return "\n".join(lines)


def without_outcome(text: str, how: str | None) -> str:
    """What a deliberation waits for, its last line, gives way to how it ended, if it did."""
    if how is None:
        return text
    before, _, _ = text.rpartition("\n")
    return f"{before}\nIts workflow was {how}: no outcome is on the log, and none will follow."


def _leading(leading: list[str]) -> str:
    return ", ".join(printable(choice) for choice in leading) or "none"
