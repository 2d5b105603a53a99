"""Who could train: the newest whole announcement of each host counts."""

import functools
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.consensus.events import RoundClosed
from domain.learning.fleet import MAX_CLIENTS, MAX_PARTS, Announcement, Client, DataOffer, Left
from domain.learning.roster import (
    announce,
    candidates,
    fold_host,
    parts_of,
    worth_saying,
)
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


def test_a_client_of_two_hosts_is_the_newer_announcements():
    old = host(announced("a", [client("c"), client("only-a")]))
    new = host(announced("b", [client("c")], "us"), start=START + timedelta(seconds=1))
    for hosts in ([old, new], [new, old]):
        found = {one.client.id: (one.host, one.region) for one in candidates(hosts)}
        assert found == {"c": ("b", "us"), "only-a": ("a", "eu")}
    again = replace(old, announced_at=new.announced_at + timedelta(seconds=1))
    assert {one.client.id: one.host for one in candidates([new, again])}["c"] == "a"
    same = replace(old, announced_at=new.announced_at)
    assert {one.client.id: one.host for one in candidates([new, same])}["c"] == "b"


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


class TestWorthSaying:
    def test_the_same_is_not(self):
        assert not worth_saying([client("a"), client("b")], [client("a"), client("b")])

    @pytest.mark.parametrize(
        "now",
        [
            [],
            [client("a"), client("b")],
            [client("b")],
            [client("a", charging=True)],
            [client("a", network_mbps=5.0)],
            [client("a", quality=0.9)],
            [replace(client("a"), data=())],
            [replace(client("a"), data=(DataOffer("other", 100),))],
            [client("a", rows=0)],
            [client("a", rows=111)],
            [client("a", rows=89)],
            [client("a", since=START)],
        ],
        ids=range(12),
    )
    def test_what_changes_who_is_asked_is(self, now):
        assert worth_saying([client("a")], now)

    @pytest.mark.parametrize("rows", [91, 100, 110])
    def test_a_few_more_rows_are_not(self, rows):
        assert not worth_saying([client("a", rows=100)], [client("a", rows=rows)])

    def test_the_first_row_is(self):
        assert worth_saying([client("a", rows=0)], [client("a", rows=1)])
        assert not worth_saying([client("a", rows=0)], [client("a", rows=0)])

    def test_a_time_that_moved_by_minutes_is_not_and_by_hours_is(self):
        hours = [START + timedelta(minutes=n) for n in (0, 59, 61)]
        for field in ("since", "until"):
            one, other, third = (client("a", **{field: at}) for at in hours)
            assert not worth_saying([one], [other])
            assert worth_saying([one], [third])


class TestParts:
    clients = tuple(client(f"c{n}") for n in range(7))

    def cut(self, clients, most, weight=10):
        return parts_of("edge-1", "eu", clients, lambda _: weight, most)

    def test_no_part_is_too_large_and_nobody_is_lost(self):
        parts = self.cut(self.clients, 30)
        assert [len(part.clients) for part in parts] == [3, 3, 1]
        assert [(part.part, part.parts) for part in parts] == [(1, 3), (2, 3), (3, 3)]
        assert host(*parts).clients == self.clients

    def test_a_host_without_clients_says_so_in_one_part(self):
        assert self.cut((), 30) == (announced(),)

    def test_a_part_has_no_more_clients_than_may_be_in_one(self):
        parts = self.cut([client(f"c{n}") for n in range(MAX_CLIENTS + 1)], 10**9)
        assert [len(part.clients) for part in parts] == [MAX_CLIENTS, 1]

    def test_a_client_larger_than_a_part_is_refused_by_name(self):
        with pytest.raises(Refusal, match="what c0 announces has 31 bytes, at most 30"):
            self.cut(self.clients, 30, weight=31)

    def test_more_parts_than_can_be_are_refused(self):
        with pytest.raises(Refusal, match=rf"1001 make 1001 parts, at most {MAX_PARTS}; use two hosts"):
            self.cut([client(f"c{n}") for n in range(MAX_PARTS + 1)], 10)


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
