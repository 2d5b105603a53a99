"""The meaning of each field of an event, from the class's own words or else from the glossary."""

import inspect
import re
from dataclasses import fields, is_dataclass
from typing import Any, get_args, get_type_hints

import msgspec

from docs.generate.glossary import MEANINGS

_SENTENCE = re.compile(r"(?<=[.;]) (?=[`A-Z])")


class Unexplained(LookupError):
    """A field of an event that neither its class nor the glossary explains."""


def summary(cls: type) -> str:
    """What the class's docstring says, as one paragraph without its line ends."""
    return " ".join(inspect.cleandoc(cls.__doc__ or "").split())


def meaning(cls: type, field: str) -> str:
    """What `field` of `cls` means: the sentences of the docstring that name it, else the glossary's line.

    Raises:
        Unexplained: nobody says.
    """
    own = [said for said in _SENTENCE.split(summary(cls)) if f"`{field}`" in said]
    if own:
        text = " ".join(own).removeprefix(f"`{field}`: ").rstrip(";.")
        return f"{text[0].upper()}{text[1:]}."
    found = MEANINGS.get(f"{cls.__name__}.{field}") or MEANINGS.get(field)
    if found is None:
        raise Unexplained(f"{cls.__name__}.{field}: say it in the docstring or in docs/generate/glossary.py")
    return found


def names(cls: type) -> list[str]:
    """The fields of a domain class or of an earlier stored shape, in order."""
    if is_dataclass(cls):
        return [field.name for field in fields(cls)]
    return [field.name for field in msgspec.structs.fields(cls)]


def parts(cls: type) -> list[type]:
    """The domain classes that `cls` is made of, itself first, each once."""
    found: list[type] = [cls]
    for part in found:
        for hint in get_type_hints(part).values():
            found += [new for new in _classes(hint) if new not in found]
    return found


def _classes(hint: Any) -> list[type]:
    if isinstance(hint, type) and is_dataclass(hint):
        return [hint]
    return [found for argument in get_args(hint) for found in _classes(argument)]
