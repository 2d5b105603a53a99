"""Small plots of a figure by round, in characters of braille: for terminals, with no library."""

from collections.abc import Sequence

_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))  # rows from the top; left and right column
_BLANK = 0x2800
_ROWS, _COLUMNS = 4, 2  # dots of one character


def curve(values: Sequence[float | None], width: int = 60, height: int = 3) -> list[str]:
    """`height` lines of at most `width` characters: the first value at the left, the largest at the top.

    What is None leaves a gap. More values than there are dots are thinned evenly, the last one is kept.
    """
    kept = _thinned(values, width * _COLUMNS)
    known = [value for value in kept if value is not None]
    if not known:
        return []
    low, high, top = min(known), max(known), height * _ROWS - 1
    cells = [[_BLANK] * -(-len(kept) // _COLUMNS) for _ in range(height)]
    for x, value in enumerate(kept):
        if value is not None:
            y = round((high - value) / (high - low) * top) if high > low else top
            cells[y // _ROWS][x // _COLUMNS] |= _DOTS[y % _ROWS][x % _COLUMNS]
    return ["".join(map(chr, line)) for line in cells]


def plotted(name: str, values: Sequence[float | None], width: int = 80, height: int = 3) -> list[str]:
    """The curve with its name, its largest value beside the first line and its least beside the last.

    Nothing where fewer than two values are known: a single one is better read as a number.
    """
    known = [value for value in values if value is not None]
    if len(known) < 2:  # noqa: PLR2004 # as the promise says
        return []
    edges = [f"{max(known):.4g}", *[""] * (height - 2), f"{min(known):.4g}"]
    margin = max(map(len, edges))
    names = [name, *[""] * (height - 1)]
    lines = curve(values, max(width - len(name) - margin - 3, 10), height)
    return [
        f"{title:{len(name)}}  {edge:>{margin}} {line}".rstrip()
        for title, edge, line in zip(names, edges, lines, strict=True)
    ]


def _thinned(values: Sequence[float | None], most: int) -> list[float | None]:
    if len(values) <= most:
        return list(values)
    return [values[round(n * (len(values) - 1) / (most - 1))] for n in range(most)]
