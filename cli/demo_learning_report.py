"""What the learning demo came to: its table and its plots."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cli.learn_view import aligned, size
from domain.refusal import Refusal

Found = Mapping[str, dict[str, Any]]
HEAD = ("run", "rounds", "accuracy", "loss", "updates", "bytes sent", "raw bytes", "epsilon", "digest", "s")
METRICS = ("loss", "accuracy")


def table(found: Found) -> str:
    """A line for each run: sent is the sum over its rounds, raw what the rows weigh, once."""
    rows = [HEAD, *(_row(one) for one in found.values() if "refused" not in one)]
    refused = [f"{one['title']}: {one['refused']}" for one in found.values() if "refused" in one]
    return "\n".join(f"   {line}" for line in [*aligned(rows), *refused])


def figures(one: Mapping[str, Any]) -> dict[str, Any]:
    """Of one run, for programs and for the table's line."""
    if "refused" in one:
        return {"title": one["title"], "refused": one["refused"]}
    rounds = one["evolution_metrics"]
    last = rounds[-1]
    return {
        "title": one["title"],
        "cycle": one["cycle"],
        "rounds": len(rounds),
        "accuracy": last["accuracy"],
        "loss": last["loss"],
        "updates": one["insights_aggregated"],
        "sent_bytes": sum(each["sent_bytes"] for each in rounds),
        "raw_bytes": max(each["raw_bytes"] for each in rounds),
        "epsilon": last["epsilon"],
        "privacy_level": one["privacy_level"],
        "lost": sum(sum(each["lost"].values()) for each in one["attempts"]),
        "digest": one["digest"],
        "version": one["version"],
        "seconds": one["seconds"],
    }


def _row(one: Mapping[str, Any]) -> tuple[str, ...]:
    told = figures(one)
    spent = told["epsilon"]
    return (
        told["title"],
        str(told["rounds"]),
        f"{told['accuracy']:.4f}",
        f"{told['loss']:.4f}",
        str(told["updates"]),
        size(told["sent_bytes"]),
        size(told["raw_bytes"]),
        "-" if spent is None else f"{spent:.3f}",
        told["digest"][:12],
        f"{told['seconds']:.1f}",
    )


def plots(found: Found, folder: Path) -> list[Path]:
    """Loss and accuracy by round, a line for each run: a PNG of 1200 x 750 pixels each.

    Raises:
        Refusal: matplotlib is not installed.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        raise Refusal("demo learning", "needs matplotlib: `make demo-learning` installs it") from None
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for metric in METRICS:
        figure = Figure(figsize=(8, 5), dpi=150, layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.add_subplot()
        drawn = [one for one in found.values() if "refused" not in one]
        for number, one in enumerate(drawn):
            at = [each["round"] for each in one["evolution_metrics"]]
            values = [each[metric] for each in one["evolution_metrics"]]
            width = 1 + (len(drawn) - number) / 2  # two runs that are the same are both to be seen
            axes.plot(at, values, marker=".", linewidth=width, label=one["title"])
        axes.set(xlabel="round", ylabel=f"{metric} on the holdout")
        axes.legend(fontsize=8)
        files.append(folder / f"{metric}.png")
        figure.savefig(files[-1], format="png")
    return files
