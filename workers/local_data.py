"""A client's data sets: files of its own, or whatever a module of its own reads. They stay on its node."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from activities.learning_ports import LocalData
from domain.learning.data_schema import data_schema
from domain.learning.fleet import DataOffer
from domain.learning.trainer import Rows
from domain.refusal import Refusal
from domain.stream import check_id
from domain.strict_json import printable
from workers.data_files import MICROSECONDS, SUFFIXES, Table, microseconds, read_table
from workers.plugin_loading import loaded, one_line

DEFAULT = "default"
CLIENT = "{client}"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)


def local_data(place: str, client: str) -> LocalData:
    """The data of `client` at `place`: a file, a folder of files, or what `module:factory` makes.

    `{client}` in the path of a file or folder stands for the client's id; a factory is given the id. What is
    there is read as a file, even where its name has a colon. The module is imported, so name only what you
    trust.

    Raises:
        Refusal: there is nothing of that name, or the factory makes no `LocalData`.
    """
    path = Path(place.replace(CLIENT, client))
    if path.exists() or ":" not in place:
        return FileData(path)
    factory: Callable[[str], Any] = loaded(place, "--data")
    try:
        made = factory(client)
    except Refusal:
        raise
    except Exception as error:  # noqa: BLE001 # a source of data may fail in any way, and is named for it
        raise Refusal("--data", f"{printable(place)} makes no data: {one_line(error)}") from None
    if not callable(getattr(made, "offers", None)) or not callable(getattr(made, "rows", None)):
        raise Refusal("--data", f"{printable(place)} makes something without `offers` or `rows`")
    source: LocalData = made
    return source


class FileData:
    """`.npz` and `.csv` files as data sets: one file is the set `default`, in a folder each has its own name.

    A file is read again when it was written again.

    Raises:
        Refusal: there is no such file or folder, no file of a kind that is read, or one whose name is no id.
    """

    def __init__(self, place: Path) -> None:
        self._place = place
        self._read: dict[Path, tuple[tuple[int, int], Table]] = {}
        self._files()

    def offers(self) -> tuple[DataOffer, ...]:
        """All sets by name: rows, the share that is usable, and of when those are.

        Raises:
            Refusal: a file cannot be read; the line names it.
        """
        return tuple(_offer(name, self._table(path)) for name, path in sorted(self._files().items()))

    def rows(self, name: str, since: datetime, until: datetime) -> Rows:
        """The usable rows of `since` up to and without `until`, in the file's order; there may be none.

        Raises:
            Refusal: there is no such set, or its file cannot be read.
        """
        table = self._named(name)
        chosen = table.usable & (table.at >= microseconds(since)) & (table.at < microseconds(until))
        return {key: array[chosen] for key, array in table.rows.items()}

    def schema(self, name: str) -> str:
        """Digest of the names, dtypes and trailing shapes of the arrays of a set."""
        return data_schema(self._named(name).rows)

    def _named(self, name: str) -> Table:
        files = self._files()
        if name not in files:
            there = printable(", ".join(sorted(files)), 200)
            raise Refusal("data.name", f"'{printable(name, 40)}' is no data set here; there are {there}")
        return self._table(files[name])

    def _files(self) -> dict[str, Path]:
        where = f"data {printable(str(self._place), 100)}"
        if self._place.is_dir():
            found = sorted(path for path in self._place.iterdir() if path.suffix in SUFFIXES)
        elif self._place.exists():
            found = [path for path in [self._place] if path.suffix in SUFFIXES]
        else:
            raise Refusal(where, "is not there; name a file, a folder or module:factory")
        if not found:
            raise Refusal(where, f"holds no {' or '.join(SUFFIXES)} file")
        if not self._place.is_dir():
            return {DEFAULT: self._place}
        for path in found:
            check_id(path.stem, where)
        names = {path.stem: path for path in found}
        if len(names) < len(found):
            raise Refusal(where, "has two files of one name, as .npz and as .csv; rename one")
        return names

    def _table(self, path: Path) -> Table:
        try:
            stat = path.stat()
        except OSError as error:
            raise Refusal(f"data {printable(str(path), 100)}", f"cannot be read: {error.strerror}") from None
        stamp = (stat.st_mtime_ns, stat.st_size)
        known = self._read.get(path)
        if known is None or known[0] != stamp:
            known = self._read[path] = (stamp, read_table(path))
        return known[1]


def _offer(name: str, table: Table) -> DataOffer:
    rows, usable = len(table.usable), int(table.usable.sum())
    if not usable:
        return DataOffer(name, rows, 0.0)
    at = table.at[table.usable]
    since, until = _moment(int(np.min(at))), _moment(int(np.max(at))) + _TICK
    return DataOffer(name, rows, usable / rows, since, until)


def _moment(at: int) -> datetime:
    return _EPOCH + timedelta(seconds=at // MICROSECONDS, microseconds=at % MICROSECONDS)
