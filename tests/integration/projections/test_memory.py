"""What the projector keeps of streams that nothing can follow: nothing."""

import gc
import tracemalloc
from pathlib import Path

import pytest

from projections import engine, pipeline
from projections.states import States
from tests.integration.projections.bed import event, history, running, until

FOLDER = str(Path(engine.__file__).parent / "*")
STREAMS = 500
GROWTH = 100_000  # bytes; one stream kept is 2,000


@pytest.fixture
def kept():
    """How many bytes of what the projections made are still there."""

    def measure():
        gc.collect()
        taken = tracemalloc.take_snapshot().filter_traces(
            [tracemalloc.Filter(inclusive=True, filename_pattern=FOLDER)]
        )
        return sum(trace.size for trace in taken.traces)

    tracemalloc.start()
    yield measure
    tracemalloc.stop()


async def grown(bed, kept, upper=3):
    """By how many bytes one projector grew from its first settled streams to `upper` times as many."""
    measured = []
    async with running((await bed.projector()).follow()):
        for part in range(upper):
            for number in range(STREAMS):
                bed.log.append(history(f"n{part}-{number}"))
            await until(lambda: _standing_at(bed, bed.log.end()), "all of it is projected")
            measured.append(kept())
    return measured[-1] - measured[0]


async def test_settled_streams_leave_nothing_in_memory(bed, kept):
    assert await grown(bed, kept) < GROWTH


async def test_kept_streams_would_be_seen(bed, kept, monkeypatch):
    monkeypatch.setattr(engine, "States", lambda *_, **__: States())
    assert await grown(bed, kept) > 5 * GROWTH


async def test_what_comes_again_or_too_late_for_a_forgotten_stream_is_known_by_its_row(bed, monkeypatch):
    monkeypatch.setattr(pipeline, "RECORDS", 6)
    for number in range(8):
        bed.log.append(history(f"n{number}"))
    again = bed.log.append(history("n1")) - 6
    bed.log.append(history("n2")[3:])
    last = history("n3")[-1]
    forged = bed.log.append([event(last.stream, 6, last.data, writer="eve")]) - 1
    late = bed.log.append([event("consensus/n4", 7, last.data)]) - 1
    await bed.project()
    assert again < forged
    assert await bed.parked() == [(forged, "fork"), (late, "impossible")]
    assert await bed.versions() == {f"consensus/n{number}": 6 for number in range(8)}
    assert await bed.differences() == []


async def _standing_at(bed, end):
    found = await bed.rows("projection_offset", "projection, next_offset")
    return ("consensus", end) in found
