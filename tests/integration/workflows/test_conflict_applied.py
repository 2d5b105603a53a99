"""The write that applies a ruling says nothing that the log of the case and of the siblings does not give."""

import asyncio

from domain.conflict.applied import Application, ruling
from domain.conflict.fold import fold_all
from domain.conflict.state import NO_CASE
from domain.context.events import Written
from tests.fakes.event_log import MemoryLog
from tests.integration.workflows.cases import Court
from tests.integration.workflows.conftest import DEADLINE, Moot
from tests.integration.workflows.test_conflict_cancelled import Context, about_an_entry


async def test_whoever_has_the_log_makes_the_same_write_again(client):
    moot = Moot(client, log := MemoryLog())
    async with moot.working(context=Context()):
        court = await Court.of(moot, about_an_entry(moot))
        result = await asyncio.wait_for(court.handle.result(), DEADLINE)
    (written,) = [event for _, event in log.appended if isinstance(event.data, Written)]
    state = fold_all(NO_CASE, court.events())
    case, resolved = state.opened, court.events()[-1]
    siblings = await Context().writes("eu", case.context.layer, case.context.key, resolved.data.covers)
    assert written.data == ruling(Application(case, resolved.data, resolved.time), siblings)
    assert result["applied"] == written.id
