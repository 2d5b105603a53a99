"""Learning cycles in a real Postgres: rows as the log says, in whatever pieces it is delivered."""

import json

import pytest

from projections.engine import PartitionProjector
from projections.learning_queries import LearningQueries
from projections.queries import Span
from tests.integration.projections.bed import Seen
from tests.unit.learning_events import round_opened, whole, written

SHOWN = "stream, version, status, round, rounds, accuracy, published, sent_bytes, first_offset, last_offset"
CLOSED = ("learning/c", 12, "closed", 2, 2, 0.7, "v1.0", 3_200, 0, 11)


@pytest.fixture(autouse=True)
async def without_cycles(bed):
    await bed.connection.execute("TRUNCATE learning_cycle")


async def project_by(bed, step):
    """Each piece by a projector that remembers nothing."""
    end = bed.log.end("learning")
    for until in range(step, end + step, step):
        await PartitionProjector(bed.log, bed.connection, "learning", 0, Seen()).follow(min(until, end))


@pytest.mark.parametrize("step", [1, 5, 100])
async def test_a_cycle_has_one_row_in_whatever_pieces_it_arrives(bed, step):
    bed.log.append(written(whole()), "learning")
    await project_by(bed, step)
    assert await bed.rows("learning_cycle", SHOWN) == [CLOSED]
    assert await bed.parked() == []
    assert await bed.differences() == []


async def test_what_is_delivered_again_changes_no_row(bed):
    events = written(whole())
    bed.log.append([*events[:7], *events[:7], *events], "learning")
    await project_by(bed, 4)
    ((*said, _, _),) = await bed.rows("learning_cycle", SHOWN)
    assert tuple(said) == CLOSED[:-2]
    assert await bed.parked() == []
    assert await bed.differences() == []


async def test_a_round_that_cannot_follow_is_parked_and_stops_its_cycle_alone(bed):
    bed.log.append(written([*whole()[:2], round_opened(2)]), "learning")
    bed.log.append(written(whole(), "learning/d"), "learning")
    await bed.project("learning")
    assert await bed.parked() == [(2, "impossible")]
    assert await bed.rows("learning_cycle", "stream, version") == [("learning/c", 2), ("learning/d", 12)]
    assert await bed.differences() == []


async def test_cycles_are_asked_for_by_status_model_and_stream(bed):
    bed.log.append([*written(whole()), *written(whole()[:3], "learning/d")], "learning")
    await bed.project("learning")
    async with LearningQueries(bed.database) as tables:
        assert [row["stream"] for row in await tables.cycles(10, "training")] == ["learning/d"]
        assert [row["stream"] for row in await tables.cycles(10, model="digits")] == [
            "learning/c",
            "learning/d",
        ]
        assert await tables.cycles(10, model="other") == []
        found = await tables.cycle("learning/c")
        assert (found["published"], len(json.loads(found["state"])["rounds"])) == ("v1.0", 3)
        assert await tables.cycle("learning/e") is None
        assert await tables.span("learning/d") == Span(0, 12, 15, 15)
