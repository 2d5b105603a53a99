"""How an activity says how far it is: the worker's heartbeats carry the newest word of it."""

from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Progress:
    """The details that the next heartbeat carries."""

    details: list[Any] = field(default_factory=list)


CURRENT: ContextVar[Progress | None] = ContextVar("progress", default=None)
"""Set by `workflows.heartbeats` for every activity that beats."""
