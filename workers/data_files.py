"""Reads a data set's file: named arrays of one length, a row each, and when each row is of."""

import csv
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from domain.learning.tensors import Array
from domain.refusal import Refusal
from domain.strict_json import printable

SUFFIXES = (".npz", ".csv")
MICROSECONDS = 1_000_000
_NO_TIME = np.iinfo(np.int64).min
_LAST_SECOND = 253_402_300_800  # of the year 9999; in milliseconds it would be the year 1978
_NUMBERED = re.compile(r"(.+)\.(\d{1,6})")
_TIME = "time"


@dataclass(frozen=True, slots=True)
class Table:
    """`rows`: the arrays but `time`. `usable`: rows that are finite and labelled. `at`: microseconds, UTC."""

    rows: dict[str, Array]
    usable: NDArray[np.bool_]
    at: NDArray[np.int64]


def read_table(path: Path) -> Table:
    """The rows of an `.npz` or `.csv` file.

    Rows without an array `time` (Unix seconds, or ISO 8601, UTC where it says nothing) are of the time at
    which the file was last written. A missing value is NaN; a row with one, of its `y` too, is not usable.
    Columns of a CSV are float64, so that their type does not hang on what they hold.

    Raises:
        Refusal: the file cannot be read, is none of the two, or its arrays do not make rows of numbers.
    """
    try:
        written = path.stat().st_mtime_ns // 1_000
        arrays = _npz(path) if path.suffix == ".npz" else _csv(path)
        return _table(arrays, written)
    except OSError as error:
        raise Refusal(_field(path), f"cannot be read: {error.strerror or error}") from None
    except Refusal as refusal:
        raise Refusal(_field(path), refusal.problem) from None


def _table(arrays: dict[str, Array], written: int) -> Table:
    count = _length(arrays)
    time = arrays.pop(_TIME, None)
    at = np.full(count, written, np.int64) if time is None else _microseconds(time)
    usable = at != _NO_TIME
    for name, array in arrays.items():
        if not name.isprintable():
            raise Refusal("", f"names an array '{printable(name, 40)}', with letters that cannot be shown")
        if array.dtype.kind not in "biuf":
            raise Refusal("", f"the array '{printable(name, 40)}' is {array.dtype}, which is no number")
        usable &= np.isfinite(array).all(axis=tuple(range(1, array.ndim)))
    return Table(arrays, usable, at)


def microseconds(at: datetime) -> int:
    """Since 1970, exactly."""
    passed = at - datetime(1970, 1, 1, tzinfo=UTC)
    return (passed.days * 86_400 + passed.seconds) * MICROSECONDS + passed.microseconds


def _field(path: Path) -> str:
    return f"data {printable(str(path), 100)}"


def _npz(path: Path) -> dict[str, Array]:
    try:
        with path.open("rb") as opened:
            file = np.load(opened, allow_pickle=False)  # a pickle would be run
            found = {} if isinstance(file, np.ndarray) else {name: file[name] for name in file.files}
    except OSError:
        raise
    except Exception as error:  # noqa: BLE001 # of forged bytes numpy says anything, also that memory is short
        raise Refusal("", f"is no .npz file of plain arrays: {printable(str(error), 120)}") from None
    if not found or not all(isinstance(array, np.ndarray) for array in found.values()):
        raise Refusal("", "does not hold named arrays only; write it with numpy.savez")
    return found


def _csv(path: Path) -> dict[str, Array]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = [line for line in csv.reader(file, strict=True) if line]
    except (csv.Error, UnicodeDecodeError) as error:
        raise Refusal("", f"is no CSV in UTF-8: {printable(str(error), 120)}") from None
    if not lines:
        raise Refusal("", "is empty; its first line names the columns")
    head, body = [name.strip() for name in lines[0]], lines[1:]
    if len(set(head)) != len(head) or not all(head):
        raise Refusal("", "names a column twice, or not at all, in its first line")
    for number, line in enumerate(body, start=2):
        if len(line) != len(head):
            raise Refusal("", f"has {len(line)} values in row {number}, not {len(head)}")
    columns = {name: [line[at] for line in body] for at, name in enumerate(head)}
    return _joined({n: np.array(c, np.str_) if n == _TIME else _numbers(n, c) for n, c in columns.items()})


def _numbers(name: str, cells: list[str]) -> NDArray[np.float64]:
    try:
        return np.array([float(cell) if cell.strip() else np.nan for cell in cells], np.float64)
    except ValueError:
        row, cell = next((at, cell) for at, cell in enumerate(cells, start=2) if not _is_number(cell))
        where = f"column '{printable(name, 40)}' in row {row}"
        raise Refusal("", f"{where} has '{printable(cell, 30)}', which is no number") from None


def _is_number(cell: str) -> bool:
    try:
        float(cell.strip() or "nan")
    except ValueError:
        return False
    return True


def _joined(columns: dict[str, Array]) -> dict[str, Array]:
    """Columns `x.0`, `x.1`, ... become one array `x`, rows x columns."""
    found: dict[str, Array] = {}
    numbered: dict[str, dict[int, Array]] = {}
    for name, column in columns.items():
        if match := _NUMBERED.fullmatch(name):
            numbered.setdefault(match[1], {})[int(match[2])] = column
        else:
            found[name] = column
    for name, parts in numbered.items():
        if sorted(parts) != list(range(len(parts))) or name in found:
            raise Refusal("", f"has columns '{printable(name, 40)}.N' that do not count from 0 without a gap")
        found[name] = np.stack([parts[at] for at in range(len(parts))], axis=1)
    return found


def _length(arrays: dict[str, Array]) -> int:
    lengths = {name: len(array) if array.ndim else None for name, array in arrays.items()}
    if not arrays.keys() - {_TIME}:
        raise Refusal("", "holds no array but time")
    different = set(lengths.values())
    if None in different or len(different) > 1:
        shown = ", ".join(f"{printable(name, 40)} {length}" for name, length in sorted(lengths.items())[:8])
        raise Refusal("", f"has arrays of different length: {shown}")
    return lengths.popitem()[1] or 0


def _microseconds(time: Array) -> NDArray[np.int64]:
    if time.ndim != 1:
        raise Refusal("", "time is no single column")
    if time.dtype.kind == "M":
        exact: NDArray[np.int64] = time.astype("datetime64[us]").astype(np.int64)  # NaT is the least number
        return exact
    if time.dtype.kind == "U":
        return np.array([_moment(str(text).strip(), row) for row, text in enumerate(time, 2)], np.int64)
    if time.dtype.kind not in "iuf":
        raise Refusal("", f"time is {time.dtype}, neither Unix seconds nor ISO 8601")
    known = np.isfinite(time)
    if (np.abs(time[known]) >= _LAST_SECOND).any():
        raise Refusal("", "time is beyond the year 9999; it is in seconds since 1970")
    seconds = np.where(known, time, 0)
    return np.where(known, np.rint(seconds * MICROSECONDS).astype(np.int64), _NO_TIME)


def _moment(text: str, row: int) -> int:
    if not text:
        return int(_NO_TIME)
    try:
        if re.fullmatch(r"-?\d+(\.\d*)?", text):
            return int(_microseconds(np.array([float(text)]))[0])
        at = datetime.fromisoformat(text)
    except ValueError as error:
        why = error.problem if isinstance(error, Refusal) else "which is no time"
        raise Refusal("", f"row {row} has the time '{printable(text, 40)}': {why}") from None
    return microseconds(at if at.tzinfo else at.replace(tzinfo=UTC))
