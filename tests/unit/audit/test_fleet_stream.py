"""A node's stream decides nothing: an audit of it finds nothing to compute again, and no fault in that."""

import pytest

from audit.replay import replay_stream
from domain.learning.fleet import Left
from domain.refusal import Refusal
from tests.fakes.log_reader import MemoryReader
from tests.unit.domain.learning.fleets import announced, client, events


def log(*said):
    reader = MemoryReader()
    reader.append(events(*said), "fleet")
    return reader


async def test_it_is_read_to_its_end_and_nothing_diverges():
    found = await replay_stream(log(announced(clients=[client()]), Left("edge-1")), "fleet/edge-1")
    assert (found.divergent, found.passed.stopped) == ([], {})


async def test_what_cannot_follow_is_named():
    found = await replay_stream(log(announced(), announced(part=2, parts=2)), "fleet/edge-1")
    assert "part 2 of 2 follows none before it" in found.passed.stopped["fleet/edge-1"]
    with pytest.raises(Refusal, match="left before it was announced"):
        await replay_stream(log(Left("edge-1")), "fleet/edge-1")
