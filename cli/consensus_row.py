"""What the read model knows of one deliberation."""

import json
from datetime import datetime
from typing import Any

from domain.refusal import Refusal
from projections.queries import Queries
from workers.settings import load
from workflows.names import docket_stream


async def row_of(stream: str) -> dict[str, Any]:
    """The row of the deliberation `stream`, as JSON values.

    Raises:
        Refusal: there is none; where its id is a docket's, the commands that show that.
    """
    async with Queries(load(needs=["database_url"]).database_url) as tables:
        row = await tables.deliberation(stream)
        if row is not None:
            return jsonable({**row, "state": json.loads(row["state"])})
        name = stream.partition("/")[2]
        if await tables.docket(docket_stream(name)) is not None:
            told = f"`moot decide --attach {name}` shows it, `moot consensus list` its items"
            raise Refusal("ID", f"{name} is a docket: {told}")
    raise Refusal("ID", f"{stream} is not known; see `moot consensus list`")


def jsonable(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in row.items()}
