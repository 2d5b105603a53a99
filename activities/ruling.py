"""Applies a ruling to the shared context, on the topic of the case's home region."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from temporalio import activity

from activities.ports import EventLog
from domain.causality.causal_context import Dot
from domain.conflict.applied import Application, ruling
from domain.context.events import Written
from domain.context.recording import recorded
from domain.context.residency import Residency
from domain.refusal import Refusal


class SharedContext(Protocol):
    """What a region has, and had, of a key."""

    async def writes(self, region: str, layer: str, key: str, dots: Sequence[Dot]) -> Sequence[Written]:
        """Those of the writes that the region has on its log, replaced or not; unknown ones are left out.

        Raises:
            OSError: it cannot be asked now.
        """
        ...


@dataclass(frozen=True, slots=True)
class Applied:
    """Where the ruling stands: the id of its event, and its version for `put --if-version`."""

    event: str
    version: str


class Ruling:
    """Writes rulings to the injected log, where `residency` lets them; without a `context` it refuses all."""

    def __init__(
        self, log: EventLog, context: SharedContext | None, residency: Residency | None = None
    ) -> None:
        self._log, self._context = log, context
        self._residency = residency or Residency()

    @activity.defn(name="apply_ruling")
    async def apply_ruling(self, application: Application) -> Applied:
        """Append the ruling's write; a retry appends the same event, which readers drop.

        Raises:
            Refusal: a covered write is unknown, the region has no topic, or may not hold the value: nothing
                was written.
            OSError: the log or the read table did not answer; Temporal retries.
        """
        case, covers = application.case, application.resolved.covers
        found: Sequence[Written] = ()
        if case.context is not None and self._context is not None:
            region, entry = case.regions[0], case.context
            found = await self._context.writes(region, entry.layer, entry.key, covers)
        write = ruling(application, found)
        event = recorded(write, write.region, self._residency)
        try:
            await self._log.append(f"context.{write.region}", [event])
        except FileNotFoundError as error:
            raise Refusal("regions", str(error)) from None
        return Applied(event.id, f"{write.node}:{write.counter}")
