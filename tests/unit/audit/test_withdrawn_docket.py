"""What a docket had decided before it was withdrawn is decided again like that of any other."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from audit.replay import compare_weights, replay_all
from domain.artifact import ArtifactRef
from domain.consensus.ballot_table import parse
from domain.consensus.docket import Docket, decide_item
from domain.consensus.docket_estimate import estimate_docket
from domain.consensus.events import DocketOpened, DocketWithdrawn, Opened, ReputationsRead, SliceDecided
from domain.consensus.policy import Policy
from domain.stream import Draft, item_stream
from tests.fakes.log_reader import MemoryReader

AT = datetime(2026, 3, 1, tzinfo=UTC)
REF = ArtifactRef("table", "0" * 64, 1)
DECIDED = 4
TABLE = parse(
    b"item,voter,choice\n" + b"".join(
        b"i%d,%s,%s\n" % (n, v, b"x" if v != b"dee" or n % 3 else b"y")
        for n in range(6) for v in (b"ann", b"bob", b"cem", b"dee")
    ),
    kind="csv",
)  # fmt: skip


def withdrawn(weighting="reputation", **slice_):
    """A docket of six items that was taken back when four of them were decided; its own stream last."""
    policy = Policy(weighting=weighting)
    estimate = estimate_docket(TABLE, policy, {})
    shared = Docket("d", "?", "roads", policy, TABLE)
    items = []
    for index in range(DECIDED):
        draft = Draft(item_stream("d", index), "test", "docket/d", "run")
        items.append(decide_item(shared, index, estimate.of(index), draft, AT)[0])
    statuses = dict(Counter(events[-1].data.status for events in items))
    read = ReputationsRead(AT.timestamp(), ())
    part = SliceDecided(0, DECIDED, sum(map(len, items)), statuses)
    said = [
        DocketOpened("d", "?", "roads", REF, 6, 4, TABLE.choices, policy, read),
        replace(part, **slice_),
        DocketWithdrawn("temporal", "no reason was given", DECIDED),
    ]
    return [*items, Draft("docket/d", "test", "docket/d", "run").events(said, AT)]


async def replayed(streams):
    async def given():
        for events in streams:
            yield events

    found = await replay_all(given())
    await compare_weights(found, MemoryReader())
    return found


@pytest.mark.parametrize("weighting", ["equal", "reputation", "posterior", "calibrated"])
async def test_a_docket_that_was_taken_back_is_as_sound_as_what_it_decided(weighting):
    found = await replayed(withdrawn(weighting))
    assert (found.divergent, found.decisions, found.withdrawn) == ([], DECIDED, 1)
    assert found.weights.recomputed == (DECIDED if weighting == "reputation" else 0)
    assert found.models == 0  # what it was learned from is not on the log


async def test_an_item_of_it_that_weighs_otherwise_is_named():
    streams = withdrawn()
    opened = streams[2][0].data
    assert isinstance(opened, Opened)
    panel = tuple(replace(seat, weight=0.9 if seat.voter == "dee" else seat.weight) for seat in opened.panel)
    streams[2] = [replace(streams[2][0], data=replace(opened, panel=panel)), *streams[2][1:]]
    named = [d for d in (await replayed(streams)).divergent if d.problem.startswith("weight of dee")]
    assert [one.stream for one in named] == ["consensus/d.2"]


async def test_a_slice_of_it_that_was_counted_wrongly_is_named():
    (one,) = (await replayed(withdrawn(events=99))).divergent
    assert (one.stream, one.type) == ("docket/d", SliceDecided.TYPE)


async def test_where_items_of_it_were_not_read_nothing_is_held_against_it():
    streams = withdrawn()
    assert (await replayed([*streams[:2], streams[-1]])).divergent == []
    assert (await replayed([streams[0], *streams[2:]])).divergent == []
