"""The fake that unit tests write to keeps the port's promises."""

import pytest

from tests.fakes.event_log import MemoryLog
from tests.fakes.event_log_conformance import EventLogConformance
from tests.unit.eventlog.examples import ballot


class TestMemoryLog(EventLogConformance):
    @pytest.fixture
    def log(self):
        return MemoryLog()

    @pytest.fixture
    def silent_log(self):
        return MemoryLog(away=1)

    @pytest.fixture
    def read(self, log):
        async def read(stream):
            return [event for _, event in log.appended if event.stream == stream]

        return read


async def test_a_stream_as_a_reader_sees_it_has_each_event_once():
    log = MemoryLog()
    await log.append("decisions", [ballot()])
    await log.append("decisions", [ballot()])
    assert log.stream("consensus/42") == [ballot()]
