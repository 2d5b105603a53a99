"""How siblings become cases, from the file that a deployment keeps it in."""

import json
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path

from domain.conflict.reaction import Reaction
from domain.refusal import Refusal
from domain.strict_json import printable

VARIABLE = "FOLKMOOT_CONFLICT_POLICY"


def load(environ: Mapping[str, str] | None = None) -> Reaction:
    """What the TOML or JSON file says that the setting names; without one, the defaults and no members.

    Raises:
        Refusal: the file cannot be read, or states what makes no sense; in one line that names the place.
    """
    named = (os.environ if environ is None else environ).get(VARIABLE)
    if not named:
        return Reaction()
    from workflows.payloads import MAX_INPUT_BYTES, read_input

    try:
        with Path(named).open("rb") as opened:
            raw = opened.read(MAX_INPUT_BYTES + 1)
        text = json.dumps(tomllib.loads(raw.decode())).encode() if named.endswith(".toml") else raw
        return read_input(Reaction, text)
    except OSError as error:
        raise Refusal(VARIABLE, f"{printable(named, 100)} cannot be read: {error.strerror}") from None
    except Refusal as refusal:
        raise Refusal(VARIABLE, f"{printable(named, 100)}: {refusal}") from None
    except RecursionError:
        raise Refusal(VARIABLE, f"{printable(named, 100)} is nested too deeply") from None
    except (ValueError, TypeError) as error:  # neither TOML nor UTF-8, or a date
        raise Refusal(VARIABLE, f"{printable(named, 100)} is no TOML: {printable(str(error))}") from None
