"""What a host says again, and in which parts."""

import functools
from dataclasses import replace
from datetime import timedelta

import pytest

from domain.learning.announcing import parts_of, worth_saying
from domain.learning.fleet import MAX_CLIENTS, MAX_PARTS, DataOffer
from domain.learning.roster import fold_host
from domain.refusal import Refusal
from tests.unit.domain.learning.fleets import START, announced, client, events


def host(*said):
    return functools.reduce(fold_host, events(*said), None)


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
