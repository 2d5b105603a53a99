"""What `moot learn start` is given: a cycle, rows to evaluate on, how often; refused as workers would."""

import re
from datetime import timedelta
from pathlib import Path

from domain.learning import tensor_file
from domain.learning.commands import RunCycle
from domain.refusal import Refusal
from domain.strict_json import printable

_PERIOD = re.compile(r"([1-9][0-9]{0,5})([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def cycle(file: Path) -> RunCycle:
    """The cycle that the file asks for, one JSON object.

    Trainers and privacy methods are plugins of the workers, which look at them before anything is written.

    Raises:
        Refusal: it cannot be read, or what it asks for cannot be.
    """
    from cli.input_file import read
    from domain.learning.strategies import registry
    from workflows.payloads import read_input

    asked = read_input(RunCycle, read(file))
    registry.named(asked.strategy.name).check(asked.strategy.settings, asked.cohort.minimum)
    return asked


def rows(file: Path) -> bytes:
    """Rows as a safetensors file: named arrays of one length, a row each.

    A file that a node could train on, `.npz` or `.csv`, is taken as well; rows with a missing value are left
    out, and `time` is.

    Raises:
        Refusal: it cannot be read, is no such file, or its arrays are not of one length.
    """
    name = printable(str(file))
    try:
        content = _converted(file) if file.suffix in (".npz", ".csv") else file.read_bytes()
        arrays = tensor_file.decode(content, dtypes=tensor_file.ROWS)[0]
    except OSError as error:
        raise Refusal("--holdout", f"{name} cannot be read: {error.strerror}") from None
    except Refusal as refusal:
        raise Refusal("--holdout", f"{name} {refusal.problem}") from None
    lengths = {array.shape[0] if array.shape else 0 for array in arrays.values()}
    if len(lengths) != 1 or 0 in lengths:
        raise Refusal("--holdout", f"{name} must hold arrays of one length, a row each, and not none")
    return content


def _converted(file: Path) -> bytes:
    from workers.data_files import read_table

    table = read_table(file)
    kept = {name: array[table.usable] for name, array in table.rows.items()}
    wide = {"b": "bool", "i": "int64", "u": "int64", "f": "float64"}
    return tensor_file.encode(
        {
            name: array if array.dtype.name in tensor_file.ROWS else array.astype(wide[array.dtype.kind])
            for name, array in kept.items()
        }
    )


def period(text: str, option: str = "--every") -> timedelta:
    """`7d`, `12h`, `30m` or `90s` as a time, for that option.

    Raises:
        Refusal: it is none, or shorter than a minute, or longer than a year.
    """
    found = _PERIOD.fullmatch(text)
    if found is None:
        raise Refusal(option, f"'{printable(text, 40)}' is no time; one is written like 7d, 12h or 30m")
    from workers.schedules import LEAST, MOST

    length = timedelta(**{_UNITS[found[2]]: int(found[1])})
    if not LEAST <= length <= MOST:
        raise Refusal(option, f"{text} is outside 1m to 366d")
    return length
