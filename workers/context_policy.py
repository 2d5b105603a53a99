"""The policy of the shared context, from the file that a deployment keeps it in."""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from domain.context.policy import ContextPolicy, policy_from
from domain.refusal import Refusal
from domain.strict_json import check_text, parse, printable

VARIABLE = "FOLKMOOT_CONTEXT_POLICY"
_MOST_BYTES = 1 << 20


def load(path: Path | None = None, environ: Mapping[str, str] | None = None) -> ContextPolicy:
    """The policy in the TOML or JSON file `path`, else in the one that the setting names, else the default.

    Raises:
        Refusal: the file cannot be read, or states what makes no sense; in one line that names the place.
    """
    named = (os.environ if environ is None else environ).get(VARIABLE)
    file = path or (Path(named) if named else None)
    if file is None:
        return ContextPolicy()
    try:
        return policy_from(_read(file))
    except Refusal as refusal:
        where = f"{refusal.field}: " if refusal.field else ""
        raise Refusal(f"policy {printable(str(file), 100)}", f"{where}{refusal.problem}") from None


def _read(file: Path) -> Any:
    try:
        with file.open("rb") as opened:
            raw = opened.read(_MOST_BYTES + 1)
    except OSError as error:
        raise Refusal("", f"cannot be read: {error.strerror}") from None
    if len(raw) > _MOST_BYTES:
        raise Refusal("", f"has more than {_MOST_BYTES} bytes")
    if file.suffix != ".toml":
        return parse(raw, what="")
    try:
        stated = tomllib.loads(raw.decode())
    except ValueError as error:  # neither TOML nor UTF-8
        raise Refusal("", f"is no TOML: {printable(str(error).splitlines()[0])}") from None
    except RecursionError:
        raise Refusal("", "is nested too deeply") from None
    check_text(stated, "")
    return stated
