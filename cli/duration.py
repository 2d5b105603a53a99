"""A length of time as people write it on a command line: `90s`, `30m`, `12h`, `7d`."""

import re
from datetime import timedelta

from domain.refusal import Refusal
from domain.strict_json import printable

_WRITTEN = re.compile(r"(\d{1,7})(s|m|h|d)")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def duration(text: str, option: str) -> timedelta:
    """The length of time that `text` says.

    Raises:
        Refusal: it says none; `option` is the one to mend.
    """
    found = _WRITTEN.fullmatch(text)
    if found is None:
        raise Refusal(option, f"'{printable(text, 40)}' is no length of time, such as 90s, 30m, 12h, 7d")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})
