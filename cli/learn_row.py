"""A cycle as the read model has it, asked for again and again; a read model that is away is waited for."""

import json
from typing import Any, Protocol

from cli import output
from cli.consensus_row import jsonable
from domain.strict_json import printable

Row = dict[str, Any]


class Tables(Protocol):
    """The read model."""

    async def cycle(self, stream: str) -> Row | None:
        """One cycle; OSError where it cannot be asked now."""
        ...


class Following:
    """One cycle of `tables`; that they do not answer is said once, and once that they are back."""

    def __init__(self, tables: Tables, stream: str) -> None:
        self._tables = tables
        self._stream = stream
        self._away = False

    async def look(self) -> Row | None:
        """The row, or None while there is none or the tables do not answer."""
        try:
            row = read(await self._tables.cycle(self._stream))
        except OSError as error:
            if not self._away:
                output.say(f"moot: the read model is waited for: {printable(str(error), 240)}")
            self._away = True
            return None
        if self._away:
            output.say("moot: the read model is back")
        self._away = False
        return row


def read(row: Row | None) -> Row | None:
    """The row with its rounds, as JSON has it."""
    return None if row is None else jsonable({**row, "state": json.loads(row["state"])})
