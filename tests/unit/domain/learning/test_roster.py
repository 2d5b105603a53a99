"""Who could train: the newest whole announcement of each host counts."""

import functools
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.consensus.events import RoundClosed
from domain.learning.fleet import MAX_CLIENTS, MAX_PARTS, Announcement, Client, DataOffer, Left
from domain.learning.roster import Host, announce, candidates, contested, fold_host
from domain.refusal import ImpossibleEvent, Refusal
from tests.unit.domain.learning.fleets import START, announced, client, events


def host(*said, **more):
    return functools.reduce(fold_host, events(*said, **more), None)


def names(*hosts):
    return [one.client.id for one in candidates(hosts)]


def test_the_newest_announcement_of_a_host_counts():
    now = host(announced(clients=[client("a"), client("b")]), announced(clients=[client("b"), client("c")]))
    assert names(now) == ["b", "c"]
    assert now.announced_at == START + timedelta(seconds=2)


def test_an_announcement_in_parts_counts_when_its_last_part_is_there():
    first = announced(clients=[client("old")])
    parts = [announced(clients=[client(f"c{n}")], part=n, parts=3) for n in (1, 2, 3)]
    assert names(host(first, *parts[:2])) == ["old"]
    assert names(host(first, *parts)) == ["c1", "c2", "c3"]
    assert names(host(*parts[:2])) == []


def test_parts_that_were_broken_off_are_forgotten_with_the_next_announcement():
    broken = announced(clients=[client("half")], part=1, parts=2)
    assert names(host(broken, announced(clients=[client("whole")]))) == ["whole"]


def test_of_a_client_in_two_parts_the_later_one_counts():
    parts = [announced(clients=[client("c", rows=n)], part=n, parts=2) for n in (1, 2)]
    (only,) = host(*parts).clients
    assert only.data[0].rows == 2


@pytest.mark.parametrize(
    "said",
    [
        [announced(part=2, parts=2)],
        [announced(part=1, parts=3), announced(part=3, parts=3)],
        [announced(part=1, parts=2), announced(part=2, parts=3)],
        [announced(part=1, parts=2), announced(part=2, parts=2, region="us")],
    ],
    ids=["no first", "one left out", "of another number", "of another region"],
)
def test_a_part_that_follows_none_before_it_cannot_be(said):
    with pytest.raises(ImpossibleEvent, match=r"part: part \d of \d follows none before it"):
        host(*said)


def test_who_left_is_no_candidate_until_it_announces_itself_again():
    left = host(announced(clients=[client()]), Left("edge-1", "stopped"))
    assert names(left) == []
    assert left.left_at == START + timedelta(seconds=2)
    again = [announced(clients=[client()], part=n, parts=2) for n in (1, 2)]
    assert names(fold_host(left, events(again[0])[0])) == []
    assert names(host(announced(), Left("edge-1"), *again)) == ["c1"]


def test_a_host_that_leaves_in_the_middle_of_an_announcement_has_left():
    gone = host(announced(clients=[client()]), announced(part=1, parts=2), Left("edge-1"))
    assert gone.begun == ()
    assert names(gone) == []


def test_what_a_host_said_last_is_known():
    parts = [announced(part=n, parts=2) for n in (1, 2)]
    assert host(parts[0]).last == parts[0]
    assert host(*parts).last == parts[1]
    assert host(*parts, Left("edge-1", "bye")).last == Left("edge-1", "bye")
    assert host(*parts, Left("edge-1"), parts[0]).last == parts[0]


def test_nobody_leaves_before_he_came():
    with pytest.raises(ImpossibleEvent, match="left before it was announced"):
        host(Left("edge-1"))


def test_a_host_speaks_in_its_own_stream_only():
    with pytest.raises(ImpossibleEvent, match="edge-2 speaks in the stream fleet/edge-1"):
        host(announced("edge-2"), host="edge-1")


def test_an_event_of_another_kind_cannot_be_in_a_hosts_stream():
    (event,) = events(announced())
    with pytest.raises(ImpossibleEvent, match="in the stream of a host"):
        fold_host(None, replace(event, data=RoundClosed(1, (), (), 0, 0, 0, "open", "")))


def where(*hosts):
    found = {one.client.id: (one.host, one.region) for one in candidates(hosts)}
    assert found == {one.client.id: (one.host, one.region) for one in candidates(hosts[::-1])}
    return found


def later(*said, **more):
    return host(*said, start=START + timedelta(minutes=1), **more)


def test_a_client_stays_with_the_host_that_announced_it_first():
    old = host(announced("b", [client("c"), client("only-b")]))
    new = later(announced("a", [client("c"), client("only-a")], "us"))
    assert where(old, new) == {"c": ("b", "eu"), "only-a": ("a", "us"), "only-b": ("b", "eu")}
    assert contested([old, new]) == {"a": {"c": "b"}}
    # Also where the first one says its own again, later than the other.
    again = fold_host(old, events(announced("b", [client("c")]), start=START + timedelta(hours=1))[0])
    assert where(again, new)["c"] == ("b", "eu")


def test_of_the_same_moment_a_client_is_the_first_names():
    assert where(host(announced("b", [client("c")])), host(announced("a", [client("c")])))["c"][0] == "a"


@pytest.mark.parametrize(
    "ended",
    [
        [announced("b", [client("other")])],
        [Left("b")],
        [Left("b"), *(announced("b", [client("c")], part=n, parts=2) for n in (1, 2))],
    ],
    ids=["names it no more", "left", "left and came again"],
)
def test_a_client_goes_over_when_its_first_hosts_announcement_ends(ended):
    first, new = [announced("b", [client("c")])], later(announced("a", [client("c")]))
    assert where(host(*first), new)["c"][0] == "b"
    # Sixty seconds on, what ended the first is later than what the second said.
    gone = functools.reduce(fold_host, events(*first * 60, *ended), None)
    assert where(gone, new)["c"][0] == "a"


def test_a_client_that_came_to_a_host_later_was_not_there_from_its_beginning():
    grown = host(
        announced("b", [client("x")]),
        *[announced("b", [client("x")])] * 60,
        announced("b", [client("c"), client("x")]),
    )
    new = later(announced("a", [client("c"), client("x")]))
    assert {name: at for name, (at, _) in where(grown, new).items()} == {"c": "a", "x": "b"}
    assert contested([grown, new]) == {"b": {"c": "a"}, "a": {"x": "b"}}


def test_a_host_that_was_stored_without_its_beginning_has_been_there_since_it_was_announced():
    kept = host(announced("b", [client("c")]))
    again = fold_host(
        Host("b", kept.parts, announced_at=kept.announced_at),
        events(announced("b", [client("c"), client("d")]), start=START + timedelta(hours=1))[0],
    )
    assert (again.since, again.joined) == (kept.announced_at, {"d": START + timedelta(hours=1, seconds=1)})


@given(st.lists(st.sampled_from("abcdef"), unique=True), st.randoms(use_true_random=False))
def test_the_roster_does_not_depend_on_the_order_in_which_hosts_are_read(clients, chance):
    hosts = [
        host(announced(name, [client(c) for c in clients[n:]]), start=START + timedelta(seconds=n))
        for n, name in enumerate(["h0", "h1", "h2"])
    ]
    shuffled = list(hosts)
    chance.shuffle(shuffled)
    assert candidates(shuffled) == candidates(hosts)
    assert names(*hosts) == sorted(clients)


class TestWhatIsWritten:
    said = announced(clients=[client()])
    asked = Announcement(3, "d" * 64, announced=said)

    @pytest.mark.parametrize(
        "seen", [None, (2, said), (3, Left("edge-1"))], ids=["nothing", "less", "just it"]
    )
    def test_what_the_log_does_not_have_yet(self, seen):
        assert announce(self.asked, seen) == [self.said]

    def test_a_repeated_announcement_writes_nothing(self):
        assert announce(self.asked, (4, self.said)) == []

    @pytest.mark.parametrize("seen", [(4, Left("edge-1")), (5, said)], ids=["another", "more"])
    def test_a_host_whose_journal_knows_less_than_its_stream_is_refused(self, seen):
        with pytest.raises(
            Refusal,
            match=r"^--id: the stream of edge-1 has \d events, .* knows of 3: .*--folder, .* another --id$",
        ):
            announce(self.asked, seen)


class TestWhatCannotBeSaid:
    def test_a_client_twice(self):
        with pytest.raises(Refusal, match="clients: a client is named twice"):
            announced(clients=[client(), client()])

    @pytest.mark.parametrize(("part", "parts"), [(0, 1), (2, 1), (1, 0), (1, MAX_PARTS + 1)])
    def test_a_part_of_no_announcement(self, part, parts):
        with pytest.raises(Refusal, match="is outside"):
            announced(part=part, parts=parts)

    @pytest.mark.parametrize("make", [announced, Left])
    def test_a_host_that_could_be_no_stream(self, make):
        with pytest.raises(Refusal, match="host: 'a/b' is not"):
            make("a/b")

    def test_too_many_clients(self):
        with pytest.raises(Refusal, match="501 given, at most 500"):
            announced(clients=[client(f"c{n}") for n in range(MAX_CLIENTS + 1)])

    def test_data_of_a_time_without_a_zone(self):
        with pytest.raises(Refusal, match=r"data\.until: 2026-11-21T12:00:00 has no time zone"):
            DataOffer("default", 1, since=START, until=datetime(2026, 11, 21, 12))  # noqa: DTZ001 # the fault

    @pytest.mark.parametrize("said", [{}, {"announced": announced(), "left": Left("edge-1")}])
    def test_an_announcement_says_one_thing(self, said):
        with pytest.raises(Refusal, match="give this or left, one of them"):
            Announcement(0, "d", **said)

    def test_a_version_that_cannot_be(self):
        with pytest.raises(Refusal, match="counted: -1 is outside"):
            Announcement(-1, "d", left=Left("edge-1"))
        assert Announcement(0, "d", left=Left("edge-1")).event == Left("edge-1")

    def test_a_client_without_an_id(self):
        with pytest.raises(Refusal, match="id: '' is not"):
            Client("", (), ())
