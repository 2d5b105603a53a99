"""A ruling that cannot be written is refused by name; while the log is away it is tried again."""

from dataclasses import replace

import pytest

from activities.ruling import Ruling
from domain.causality.causal_context import Dot
from domain.conflict.applied import Application
from domain.refusal import Refusal
from tests.fakes.event_log import MemoryLog
from tests.unit.domain.conflict.given import AT, CASE, Trial
from tests.unit.domain.context.given import wrote


class Context:
    async def writes(self, region, layer, key, dots):
        return [wrote(f"{d.node}:{d.counter}", "v", key=key, layer=layer, region=region) for d in dots]


class NoTopic:
    async def append(self, topic, _events):
        raise FileNotFoundError(f"topic {topic} is not there")


def application():
    trial = Trial.of()
    trial.decide("p1")
    trial.end()
    return Application(CASE.case, trial.state.outcome, AT)


async def test_a_region_without_a_topic_is_refused_by_name_and_not_tried_for_ever():
    with pytest.raises(Refusal, match=r"regions: topic context\.eu is not there"):
        await Ruling(NoTopic(), Context()).apply_ruling(application())


async def test_a_log_that_is_away_is_an_error_that_temporal_tries_again():
    log = MemoryLog(away=1)
    with pytest.raises(TimeoutError):
        await Ruling(log, Context()).apply_ruling(application())
    applied = await Ruling(log, Context()).apply_ruling(application())
    again = await Ruling(log, Context()).apply_ruling(application())
    assert applied == again  # a retry is a duplicate, which readers drop
    assert applied.version == "case.c1:1"
    assert len({event.id for _, event in log.appended}) == 1


async def test_a_ruling_over_writes_that_are_not_on_the_log_is_refused():
    wanted = application()
    foreign = replace(wanted, resolved=replace(wanted.resolved, covers=(Dot("mars-1", 1),)))
    with pytest.raises(Refusal, match=r"mars-1:1 of the case is not known"):
        await Ruling(MemoryLog(), None).apply_ruling(foreign)
