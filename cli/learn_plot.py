"""Loss and accuracy by round, as a PNG by matplotlib or in the terminal."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cli.plot import plotted
from domain.refusal import Refusal

HEIGHT = 8
METRICS = ("loss", "accuracy")


def terminal(rounds: Sequence[dict[str, Any]], width: int) -> str:
    """A curve for each metric, at most `width` characters wide."""
    curves = [plotted(metric, [one[metric] for one in rounds], width, HEIGHT) for metric in METRICS]
    return "\n\n".join("\n".join(one) for one in curves if one) or "fewer than two rounds were evaluated"


def png(rounds: Sequence[dict[str, Any]], title: str, file: Path) -> None:
    """Write the plots, 1200 x 900 pixels; where a version begins there is a line with its name.

    Raises:
        Refusal: there is nothing to plot, matplotlib is not installed, or the file cannot be written.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        raise Refusal("--plot", "needs matplotlib: install folkmoot[learning], or leave out FILE") from None
    shown = [(metric, points) for metric in METRICS if (points := _points(rounds, metric))]
    if not shown:
        raise Refusal("--plot", "no round of its lineage was evaluated, so there is nothing to plot")
    figure = Figure(figsize=(8, 3 * len(shown)), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(title)
    for index, (metric, points) in enumerate(shown, 1):
        axes = figure.add_subplot(len(shown), 1, index)
        axes.plot([at for at, _ in points], [value for _, value in points], marker=".")
        axes.set(xlabel="round", ylabel=metric)
        for at, version in _begins(rounds):
            axes.axvline(at, color="grey", linewidth=0.5)
            axes.annotate(version, (at, 1), xycoords=("data", "axes fraction"), fontsize=8)
    try:
        figure.savefig(file, format="png")
    except OSError as error:
        raise Refusal("--plot", f"{file.name} cannot be written: {error.strerror}") from None


def _points(rounds: Sequence[dict[str, Any]], metric: str) -> list[tuple[int, float]]:
    """By the number of the round along the whole lineage."""
    return [(at, one[metric]) for at, one in enumerate(rounds, 1) if one[metric] is not None]


def _begins(rounds: Sequence[dict[str, Any]]) -> list[tuple[int, str]]:
    versions = [one["version"] for one in rounds]
    return [(at, name) for at, name in enumerate(versions, 1) if name not in versions[: at - 1]]
