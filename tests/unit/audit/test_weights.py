"""Weights under reputation are what the rulings before the opening say: computed again, or named."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from audit.replay import compare_weights, replay_all
from domain.artifact import ArtifactRef
from domain.consensus import reputation
from domain.consensus.ballot_table import parse
from domain.consensus.commands import OpenDeliberation, RecordedBallot, Voter
from domain.consensus.docket import Docket, decide_item
from domain.consensus.docket_estimate import estimate_docket
from domain.consensus.events import DocketClosed, DocketOpened, Opened, ReputationsRead, SliceDecided
from domain.consensus.policy import Policy
from domain.consensus.recorded import open_and_hold
from domain.deadletters import Discarded
from domain.stream import Draft, item_stream
from eventlog.partitioning import partition_of
from projections.in_memory import fold_log
from projections.registry import PROJECTIONS
from tests.fakes.log_reader import MemoryReader

AT = datetime(2026, 3, 1, tzinfo=UTC)
PARTITIONS = 3
REF = ArtifactRef("table", "0" * 64, 1)
BY_REPUTATION = Policy(weighting="reputation")


class Scene:
    """A log of several partitions, a read model that follows it when told to, and a clock."""

    def __init__(self):
        self.reader = MemoryReader()
        self.reader.counts["decisions"] = PARTITIONS
        self.streams, self.hours = [], 0
        self.sums, self.offsets = {}, (0,) * PARTITIONS

    def now(self):
        self.hours += 1
        return AT + timedelta(hours=self.hours)

    async def project(self, *partitions):
        """The read model takes in everything, or these partitions only."""
        ends = [self.reader.end("decisions", n) for n in range(PARTITIONS)]
        taken = [end if n in partitions or not partitions else self.offsets[n] for n, end in enumerate(ends)]
        self.offsets = tuple(taken)
        ends = {("decisions", n): end for n, end in enumerate(taken)}
        ends["deadletters", 0] = self.reader.end("deadletters", 0)
        rows = await fold_log(self.reader, ends)
        (consensus,) = (p for p in PROJECTIONS if p.name == "consensus")
        self.sums = {row[:2]: row[2:4] async for row in rows.rows(consensus.totals, consensus)}

    def standings(self, topic, at):
        return {voter: reputation.standing(*sums, at) for (t, voter), sums in self.sums.items() if t == topic}

    def decide(self, name, *, topic="roads", policy=BY_REPUTATION, write=True, **choices):
        at = self.now()
        voters = tuple(Voter(voter, ballots=(RecordedBallot(choice),)) for voter, choice in choices.items())
        given = OpenDeliberation(name, "?", ("yes", "no"), voters, topic=topic, policy=policy)
        stream = f"consensus/{name}"
        known = {v: reputation.mean(*s) for v, s in self.standings(topic, at.timestamp()).items()}
        read = ReputationsRead(at.timestamp(), self.offsets)
        if policy.weighting != "reputation":
            known, read = {}, None
        events = open_and_hold(given, known, read, Draft(stream, "test", stream, "run"), at)
        if write:
            self.put(events)
        return events

    def put(self, events):
        self.reader.append(events)
        self.streams.append(events)

    async def replayed(self):
        async def given():
            for events in self.streams:
                yield events

        found = await replay_all(given())
        await compare_weights(found, self.reader)
        return found


async def history():
    """Ten rulings, of which the read model knows those of the partitions that it has read."""
    scene = Scene()
    for number in range(10):
        scene.decide(f"early-{number}", policy=Policy(), ann="yes", bob="yes", cem="yes", dee="no")
    scene.decide("elsewhere", policy=Policy(), topic="rivers", ann="yes", bob="yes", cem="yes", dee="no")
    return scene


def reweighed(events, **weights):
    opened = events[0].data
    panel = tuple(replace(seat, weight=weights.get(seat.voter, seat.weight)) for seat in opened.panel)
    return [replace(events[0], data=replace(opened, panel=panel)), *events[1:]]


async def test_weights_follow_from_the_rulings_that_were_known_at_the_opening():
    scene = await history()
    none_known = scene.decide("none", ann="yes", dee="no")
    await scene.project(0, 2)
    some_known = scene.decide("some", ann="yes", dee="no")
    await scene.project()
    all_known = scene.decide("all", ann="yes", dee="no")
    weights = [[seat.weight for seat in one[0].data.panel] for one in (none_known, some_known, all_known)]
    assert len({*map(tuple, weights)}) == 3, "the scene must tell them apart"
    found = await scene.replayed()
    assert (found.weights.recomputed, found.divergent) == (3, [])


async def test_a_weight_that_the_rulings_do_not_give_is_named():
    scene = await history()
    await scene.project()
    honest = scene.decide("q", write=False, ann="yes", bob="no")
    scene.put(reweighed(honest, bob=0.99))
    (one,) = [d for d in (await scene.replayed()).divergent if d.problem.startswith("weight of")]
    assert (one.stream, one.event_id) == ("consensus/q", honest[0].id)
    assert one.problem.startswith("weight of bob: recorded 0.99, but 0.9")
    assert one.problem.endswith("follows from the rulings that it names")


async def test_rulings_of_another_moment_than_is_stated_are_named():
    scene = await history()
    await scene.project()
    honest = scene.decide("q", write=False, ann="yes", dee="no")
    read = honest[0].data.reputations_read
    for stated in (replace(read, offsets=(0,) * PARTITIONS), replace(read, at=read.at - 90 * 86_400)):
        scene.put([replace(honest[0], data=replace(honest[0].data, reputations_read=stated)), *honest[1:]])
        assert len((await scene.replayed()).divergent) == 1
        scene.streams.pop()


@pytest.mark.parametrize("read", [None, ReputationsRead(AT.timestamp() + 1e9, (0,))])
async def test_an_opening_that_does_not_say_what_its_weights_rest_on_is_named(read):
    scene = await history()
    honest = scene.decide("q", write=False, ann="yes", dee="no")
    scene.put([replace(honest[0], data=replace(honest[0].data, reputations_read=read)), *honest[1:]])
    (one,) = (await scene.replayed()).divergent
    assert one.problem.endswith("so that its weights rest on nothing")


async def test_where_all_weigh_alike_another_weight_is_named():
    scene = Scene()
    scene.put(reweighed(scene.decide("q", policy=Policy(), write=False, ann="yes", bob="yes"), ann=2.0))
    found = [d.problem for d in (await scene.replayed()).divergent]
    assert "weight of ann: recorded 2.0, but 1.0: under its policy all weigh alike" in found


async def test_a_reading_beyond_the_opening_is_found_by_the_ruling_that_it_takes_in():
    scene = await history()
    await scene.project()
    honest = scene.decide("q", write=False, ann="yes", dee="no")
    beyond = replace(honest[0].data.reputations_read, offsets=(10**9,) * PARTITIONS)
    scene.put([replace(honest[0], data=replace(honest[0].data, reputations_read=beyond)), *honest[1:]])
    (one,) = (await scene.replayed()).divergent
    assert one.problem.startswith("weight of dee")


def parked(scene, name):
    """A ruling that stands parked behind junk; where that lies."""
    stream = f"consensus/{name}"
    events = scene.decide(name, policy=Policy(), write=False, ann="no", bob="no", cem="no", dee="yes")
    place = partition_of(stream.encode(), PARTITIONS)
    scene.reader.append(events[:1])
    junk = scene.reader.put(b"junk", stream.encode(), partition=place)
    scene.reader.append(events[1:])
    return place, junk, stream


def discard(scene, place, junk, stream):
    letter = f"decisions.{place}.{junk}"
    said, name = (
        Discarded(letter, "decisions", place, junk, stream, "Ada", "by hand"),
        f"deadletters/{letter}",
    )
    scene.reader.append(Draft(name, "test", name, "run").events([said], AT), topic="deadletters")


async def test_a_ruling_that_counts_since_a_discard_was_not_known_before():
    scene = await history()
    letter = parked(scene, "freed")
    await scene.project()
    before = scene.decide("before", ann="yes", dee="no")
    discard(scene, *letter)
    assert (await scene.replayed()).divergent == []
    scene.streams.pop()
    scene.put(reweighed(before, dee=0.5))
    assert len([d for d in (await scene.replayed()).divergent if "weight of dee" in d.problem]) == 1


async def test_an_opening_between_two_discards_knows_of_the_first():
    scene = await history()
    letters = [parked(scene, name) for name in ("freed-first", "freed-second")]
    await scene.project()
    (unaware, *_) = scene.decide("unaware", write=False, ann="yes", dee="no")
    discard(scene, *letters[0])
    await scene.project()
    between = scene.decide("between", ann="yes", dee="no")
    discard(scene, *letters[1])
    assert between[0].data.panel != unaware.data.panel
    assert (await scene.replayed()).divergent == []
    scene.streams.pop()
    scene.put(reweighed(between, dee=0.5))
    assert len([d for d in (await scene.replayed()).divergent if "weight of dee" in d.problem]) == 1


TABLE = parse(
    b"item,voter,choice\n" + b"".join(
        b"i%d,%s,%s\n" % (n, v, b"x" if v != b"dee" or n % 3 else b"y")
        for n in range(6) for v in (b"ann", b"bob", b"cem", b"dee")
    ),
    kind="csv",
)  # fmt: skip


async def docketed(scene):
    """A docket under reputation: its items weigh by the rulings before it and by its items before them."""
    at = scene.now()
    known = scene.standings("roads", at.timestamp())
    estimate = estimate_docket(TABLE, BY_REPUTATION, known)
    shared = Docket("d", "?", "roads", BY_REPUTATION, TABLE)
    streams = []
    for index in range(len(TABLE.items)):
        draft = Draft(item_stream("d", index), "test", "docket/d", "run")
        streams.append(decide_item(shared, index, estimate.of(index), draft, at)[0])
    read = ReputationsRead(at.timestamp(), scene.offsets)
    statuses = {"consensus": len(streams)}
    said = [
        DocketOpened("d", "?", "roads", REF, 6, 4, TABLE.choices, BY_REPUTATION, read),
        SliceDecided(0, 6, sum(map(len, streams)), statuses),
        DocketClosed(6, statuses, REF),
    ]
    return [*streams, Draft("docket/d", "test", "docket/d", "run").events(said, at)]


async def test_the_items_of_a_docket_weigh_by_what_came_before_it_and_before_them():
    scene = await history()
    await scene.project()
    streams = await docketed(scene)
    assert len({seat.weight for one in streams for seat in getattr(one[0].data, "panel", ())}) > 4
    for events in streams:
        scene.put(events)
    found = await scene.replayed()
    assert (found.weights.recomputed, found.divergent) == (6, [])


async def test_an_item_that_weighs_otherwise_is_named():
    scene = await history()
    await scene.project()
    for number, events in enumerate(await docketed(scene)):
        scene.put(reweighed(events, dee=0.9) if number == 3 else events)
    named = [d for d in (await scene.replayed()).divergent if d.problem.startswith("weight of dee")]
    assert [one.stream for one in named] == ["consensus/d.3"]


async def test_stakes_are_given_and_not_earned():
    scene = Scene()
    opened = scene.decide("q", policy=Policy(fault_model="stake"), ann="yes", bob="yes", cem="yes")[0].data
    assert isinstance(opened, Opened)
    assert (await scene.replayed()).divergent == []
