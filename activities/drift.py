"""Whether the losses that are observed of a model have risen: ADWIN over them, by river."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from temporalio import activity

from activities.learning_ports import Cycles
from domain.learning.commands import RunCycle
from domain.learning.versions.commands import DriftFound
from domain.refusal import Refusal


@dataclass(frozen=True, slots=True)
class DriftLook:
    """Losses, oldest first, and ADWIN's confidence."""

    losses: tuple[float, ...]
    delta: float


@dataclass(frozen=True, slots=True)
class CycleWanted:
    """What a drift asks for: the cycle, or else what the model's schedule starts. `key` makes it once."""

    model: str
    key: str
    cycle: RunCycle | None


class Drift:
    """Looks for drifts, and carries out what a policy makes of one that needs a cycle."""

    def __init__(self, cycles: Cycles) -> None:
        self._cycles = cycles

    @activity.defn(name="detect_drift")
    async def detect_drift(self, look: DriftLook) -> DriftFound | None:
        """The newest rise of the losses, or None.

        Raises:
            Refusal: river is not installed.
        """
        return await asyncio.to_thread(risen, look.losses, look.delta)

    @activity.defn(name="start_cycle")
    async def start_cycle(self, wanted: CycleWanted) -> None:
        """Start a cycle, or trigger the schedule; a retry starts no second one.

        Raises:
            Refusal: there is no schedule, or the cycle cannot be.
        """
        if wanted.cycle is not None:
            await self._cycles.start(wanted.cycle, wanted.key)
        else:
            await self._cycles.trigger(wanted.model)


def risen(losses: Sequence[float], delta: float) -> DriftFound | None:
    """The newest place at which the mean of the losses rose, as ADWIN finds it (Bifet and Gavaldà, 2007).

    ADWIN also finds where it fell; that is none. It looks after every 32nd loss, and its bound is for losses
    between 0 and 1: larger ones make it quick to see a change. After a change it begins anew with the next.

    Raises:
        Refusal: river is not installed.
    """
    try:
        from river.drift import ADWIN
    except ImportError:
        raise Refusal("river", "is not installed, and finds drifts: install folkmoot[learning]") from None
    detector = ADWIN(delta=delta)  # type: ignore[no-untyped-call] # river's have no types
    found, width = None, 0
    for end, loss in enumerate(losses, start=1):
        detector.update(loss)  # type: ignore[no-untyped-call] # as above
        kept = int(detector.width)
        if detector.drift_detected and kept <= width:
            before = losses[end - width - 1 : end - kept]
            after = losses[end - kept : end]
            mean_before, mean_after = sum(before) / len(before), sum(after) / len(after)
            if mean_after > mean_before:
                found = DriftFound(mean_before, mean_after, len(losses) - end)
        width = kept
    return found
