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
    """The bytes of a file of rows: named arrays of one length, a row each.

    Raises:
        Refusal: it cannot be read, is no safetensors file, or its arrays are not of one length.
    """
    name = printable(str(file))
    try:
        content = file.read_bytes()
    except OSError as error:
        raise Refusal("--holdout", f"{name} cannot be read: {error.strerror}") from None
    try:
        arrays = tensor_file.decode(content, dtypes=tensor_file.ROWS)[0]
    except Refusal as refusal:
        raise Refusal("--holdout", f"{name} {refusal.problem}") from None
    lengths = {array.shape[0] if array.shape else 0 for array in arrays.values()}
    if len(lengths) != 1 or 0 in lengths:
        raise Refusal("--holdout", f"{name} must hold arrays of one length, a row each, and not none")
    return content


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
