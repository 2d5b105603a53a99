"""Imports what `module:name` stands for, and says in one line why it cannot."""

import importlib
import sys
from pathlib import Path
from typing import Any

from domain.refusal import Refusal
from domain.strict_json import printable


def loaded(value: str, field: str) -> Any:
    """What the module has under the name; a module beside you, in the working folder, is found too.

    Raises:
        Refusal: it is not of this form, the module cannot be imported, or has no such name.
    """
    module, colon, name = value.partition(":")
    if not (module and colon and name):
        raise Refusal(field, f"'{printable(value)}' is not of the form module:factory")
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.append(here)  # last, so that it hides nothing of ours
    try:
        found = importlib.import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
    except Exception as error:  # noqa: BLE001 # a module may fail in any way while it is imported
        raise Refusal(field, f"{printable(value)} cannot be imported: {one_line(error)}") from None
    return found


def one_line(error: Exception) -> str:
    """An error's kind and the first line of what it says."""
    said = str(error).strip().splitlines()
    return f"{type(error).__name__}: {printable(said[0], 200)}" if said else type(error).__name__
