"""The roster of a round against what hosts announced: whoever was put into it by hand is named."""

from dataclasses import replace
from datetime import timedelta

import msgspec
import pytest

from audit.announcements import Announcements
from audit.grounds import Grounds
from audit.replay import replay_stream
from domain.learning.events import RoundOpened
from domain.learning.fleet import Candidate, Left
from domain.refusal import Refusal
from domain.stream import Draft, fleet_stream
from tests.fakes.log_reader import MemoryReader
from tests.unit.audit.learning_cycle import CLIENTS, STREAM, announcements, candidate, whole
from tests.unit.domain.learning.fleets import announced, client, events
from tests.unit.learning_events import START

ROSTER = tuple(map(candidate, CLIENTS))


def log(*streams):
    reader = MemoryReader()
    for one in streams:
        reader.append(one, "fleet")
    return Announcements(reader)


async def problem(roster, *streams, at=START):
    with pytest.raises(Refusal) as refused:
        await log(*streams).check(roster, at)
    return str(refused.value)


async def test_a_cycle_whose_roster_was_announced_agrees_and_the_topic_is_read_once():
    made = await whole()
    reader = made.reader()
    places = []
    read = reader.batches

    def batches(topic, *asked):
        places.append(topic)
        return read(topic, *asked)

    reader.batches = batches
    found = await replay_stream(reader, STREAM, made.grounds(reader))
    assert (found.divergent, places.count("fleet")) == ([], 1)


async def test_a_client_that_no_host_announced_is_named_at_the_round_that_was_drawn_from_it():
    made = await whole()
    made.fleet = announcements(CLIENTS[1:])
    found = await replay_stream(made.reader(), STREAM, made.grounds())
    rounds = [event.id for event in made.log if isinstance(event.data, RoundOpened)]
    assert [one.event_id for one in found.divergent] == rounds
    assert {one.problem for one in found.divergent} == {"roster: holds ann, which no host ever announced"}


async def test_a_roster_that_was_written_by_hand_is_named_though_the_draw_from_it_is_right():
    """Who holds the orchestrator lets one more client take part; it is drawn, and reports."""
    made = await whole(clients=(*CLIENTS, "mallory"))
    found = await replay_stream(made.reader(), STREAM, made.grounds())
    assert found.learned.cohorts == 2
    assert {one.problem for one in found.divergent} == {"roster: holds mallory, which no host ever announced"}


@pytest.mark.parametrize(
    "changes",
    [{"subject": "somebody"}, {"identity": "B" * 42 + "A="}, {"charging": True}, {"network_mbps": 5.0}],
)
async def test_a_client_otherwise_than_it_was_announced_is_named(changes):
    ann, *others = ROSTER
    roster = (replace(ann, client=replace(ann.client, **changes)), *others)
    said = await problem(roster, announcements())
    assert said == "roster: holds ann otherwise than any host announced it"


@pytest.mark.parametrize("changes", [{"host": "host-2"}, {"region": "us"}])
async def test_a_client_of_another_host_or_region_is_named(changes):
    said = await problem((replace(ROSTER[0], **changes),), announcements())
    assert said == "roster: holds ann otherwise than any host announced it"


async def test_a_client_that_was_announced_only_after_the_round_is_named():
    late = announcements(at=START + timedelta(seconds=1))
    said = await problem(ROSTER, late)
    assert said.startswith("roster: holds ann, bob, cyd, dan, eva, zoe, which its host announced only after")
    await log(late).check(ROSTER, START + timedelta(seconds=1))


async def test_an_earlier_announcement_counts_though_a_later_one_says_otherwise():
    """The read model may have been behind; how far it was, nothing says."""
    now, before = client("c1", rows=500), client("c1", rows=100)
    said = events(announced(clients=[before]), announced(clients=[now]), Left("edge-1"))
    for one in (before, now):
        await log(said).check([Candidate(one, "edge-1", "eu")], said[-1].time)


async def test_what_was_announced_in_parts_counts_when_the_last_part_is_there():
    parts = [announced(clients=[client(f"c{n}")], part=n, parts=2) for n in (1, 2)]
    roster = [Candidate(client(f"c{n}"), "edge-1", "eu") for n in (1, 2)]
    said = events(*parts)
    await log(said).check(roster, said[-1].time)
    assert "no host ever announced" in await problem(roster, said[:1], at=said[-1].time)
    assert "only after" in await problem(roster, said, at=said[0].time)


async def test_an_announcement_that_readers_do_not_apply_counts_for_nothing():
    """It speaks in the stream of another host, or comes out of turn."""
    stream = fleet_stream("host-2")
    foreign = Draft(stream, "test", stream, "run").events([announcements()[0].data], START)
    assert "no host ever announced" in await problem(ROSTER, foreign)
    late = [replace(event, version=3) for event in announcements()]
    assert "no host ever announced" in await problem(ROSTER, late)


async def test_without_a_log_every_roster_is_named():
    made = await whole(rounds=1)
    found = await replay_stream(made.reader(), STREAM, Grounds(made.artifacts))
    assert [one.problem for one in found.divergent] == [
        "roster: no log was named to read the hosts' announcements from"
    ]


def test_a_candidate_of_a_roster_s_file_is_the_one_that_was_announced():
    assert msgspec.json.decode(msgspec.json.encode(ROSTER), type=tuple[Candidate, ...]) == ROSTER
