"""What versions are called: v1.0, v1.1, v2.0."""

import re
from collections.abc import Iterable

from domain.refusal import Refusal
from domain.strict_json import printable

_NAME = re.compile(r"v(\d{1,6})\.(\d{1,6})")


def parsed(name: str, field: str = "version") -> tuple[int, int]:
    """Major and minor of a version's name.

    Raises:
        Refusal: it is none.
    """
    found = _NAME.fullmatch(name)
    if found is None:
        raise Refusal(field, f"'{printable(name, 40)}' is no version; they are called v1.0, v1.1, …")
    return int(found[1]), int(found[2])


def next_name(names: Iterable[str], parent: str | None) -> str:
    """What is published next: with a parent the next minor of its major, else the first of a new major."""
    known = [parsed(name) for name in names]
    if parent is None:
        return f"v{max((major for major, _ in known), default=0) + 1}.0"
    ours = parsed(parent, "parent")[0]
    return f"v{ours}.{max(minor for major, minor in known if major == ours) + 1}"
