"""How `moot learn` looks at a terminal."""

from collections.abc import Sequence
from typing import Any

from cli.plot import plotted
from domain.counting import counted
from domain.strict_json import printable

_KIB = 1024
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")
ROUND_HEAD = (
    "round",
    "asked",
    "reported",
    "lost",
    "loss",
    "accuracy",
    "drift",
    "sent",
    "raw",
    "epsilon",
)


def started(data: dict[str, Any]) -> str:
    return f"started {data['workflow_id']}; follow it with `moot learn watch {data['id']}`"


def planned(data: dict[str, Any]) -> str:
    model = data["schedule_id"].partition(".")[2]
    begun = "the first one now" if data["new"] else "in place of the one before"
    every = f"every {written(data['every_seconds'])}"
    return f"scheduled {data['schedule_id']} {every}, {begun}; `moot learn schedule {model}` shows it"


def result(data: dict[str, Any], width: int) -> str:
    """What a cycle came to, as its workflow returned it."""
    metrics = data["evolution_metrics"]
    return "\n".join(
        [
            f"{data['cycle']}: version {data['version']}, model digest {data['digest']}",
            f"  {_entered(data)}, privacy level {data['privacy_level']}",
            *_curves(metrics, width),
        ]
    )


def rows(data: list[dict[str, Any]], limit: int) -> str:
    """A line each."""
    if not data:
        return "no learning cycle is known to the read model"
    table = [
        ("stream", "status", "round", "accuracy", "loss", "strategy", "privacy", "version"),
        *map(_cells, data),
    ]
    return "\n".join(
        [*aligned(table), *([f"the newest {limit:,}; --limit shows more"] if len(data) == limit else [])]
    )


def shown(row: dict[str, Any], width: int) -> str:
    """A cycle with every attempt of every round."""
    how = (row["trainer"], row["strategy"], f"privacy {row['privacy']}", counted(row["rounds"], "round"))
    attempts = row["state"]["rounds"]
    table = aligned([ROUND_HEAD, *map(_attempt, attempts)]) if attempts else ["no round was opened yet"]
    return "\n".join(
        [
            printable(f"{row['stream']} trains {row['model']} by {', '.join(how)}", 400),
            *table,
            *_curves([one for one in attempts if one["status"] == "aggregated"], width),
            _end(row),
        ]
    )


def ending(row: dict[str, Any], width: int) -> str:
    """What is said when watching is over."""
    made = [one for one in row["state"]["rounds"] if one["status"] == "aggregated"]
    return "\n".join([*_curves(made, width), _end(row)])


def ended_round(one: dict[str, Any]) -> str:
    """One attempt that is over, in a line."""
    name = f"round {one['round']}" + (f", attempt {one['attempt']}" if one["attempt"] > 1 else "")
    told = f"{name}: {one['reported']:,} of {one['asked']:,} reported{_lost(one)}"
    if one["status"] == "abandoned":
        return f"{told}, abandoned: {printable(one['reason'], 200)}"
    cost = f"{size(one['sent_bytes'])} sent against {size(one['raw_bytes'])} raw"
    private = f", epsilon {_figure(one['epsilon'])}" if one["epsilon"] is not None else ""
    return (
        f"{told}, loss {_figure(one['loss'])}, accuracy {_figure(one['accuracy'])},"
        f" drift {_figure(one['drift'])}, {cost}{private}"
    )


def written(seconds: float) -> str:
    """`7d`, `12h`, `90s`: a time as `--every` takes it."""
    for unit, length in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds % length == 0:
            return f"{seconds / length:,.0f}{unit}"
    return f"{seconds:,.0f}s"


def size(count: int) -> str:
    """`1.5 MiB`: powers of 1024."""
    value, unit = float(count), 0
    while value >= _KIB and unit < len(_UNITS) - 1:
        value, unit = value / _KIB, unit + 1
    return f"{count} B" if unit == 0 else f"{value:.1f} {_UNITS[unit]}"


def _end(row: dict[str, Any]) -> str:
    state = row["state"]
    match row["status"]:
        case "closed":
            end = state["closed"]
            return (
                f"Published as {printable(row['published'])}, model digest {row['digest']}:"
                f" {_entered(end)}, privacy level {row['privacy_level']}."
            )
        case "failed":
            why = f"Failed in round {state['failed']['round']}: {printable(state['failed']['reason'], 300)}"
            lost = any(one["lost"] for one in state["rounds"])
            return why + (f"; why clients were lost: `moot audit trail {row['stream']}`" if lost else "")
        case "withdrawn":
            return f"Withdrawn, no version follows: {printable(state['withdrawn']['reason'], 300)}"
        case _:
            if row.get("ended"):
                return f"Its workflow was {row['ended']}: no end is on the log, and none will follow."
            return f"Round {row['round']} of {row['rounds']} when the tables were last written."


def _entered(data: dict[str, Any]) -> str:
    updates = counted(data["insights_aggregated"], "update")
    return f"{counted(data['participants'], 'participant')}, {updates}"


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    return (
        row["stream"],
        row["ended"] or row["status"],
        f"{row['round']}/{row['rounds']}",
        _figure(row["accuracy"]),
        _figure(row["loss"]),
        printable(row["strategy"], 20),
        printable(row["privacy"], 24),
        printable(row["published"] or "", 20),
    )


def _attempt(one: dict[str, Any]) -> tuple[str, ...]:
    name = str(one["round"]) + (f".{one['attempt']}" if one["attempt"] > 1 else "")
    counts = (f"{one['asked']:,}", f"{one['reported']:,}", f"{sum(one['lost'].values()):,}")
    if one["status"] != "aggregated":
        return (name, *counts, *(["-"] * 5), one["status"])
    figures = (_figure(one.get(key)) for key in ("loss", "accuracy", "drift"))
    sent, raw = size(one["sent_bytes"]), size(one["raw_bytes"])
    return (name, *counts, *figures, sent, raw, _figure(one["epsilon"]))


def _lost(one: dict[str, Any]) -> str:
    lost = one["lost"]
    return "".join(f", {count:,} {why}" for why, count in sorted(lost.items()))


def _curves(rounds: Sequence[dict[str, Any]], width: int) -> list[str]:
    return [
        line
        for name in ("loss", "accuracy")
        for line in plotted(f"{name:8}", [one.get(name) for one in rounds], width)
    ]


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"


def aligned(table: Sequence[tuple[str, ...]]) -> list[str]:
    """Rows of a table as lines, each column as wide as its widest."""
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = ("  ".join(f"{c:{w}}" for c, w in zip(row, widths, strict=True)) for row in table)
    return [line.rstrip() for line in lines]
