"""`moot fleet list` at a terminal: who is there, with what, and who left."""

import functools

from cli.fleet import _data, _human
from cli.status import _fleet
from domain.learning.fleet import Left
from domain.learning.roster import fold_host
from projections.fleet_queries import Known
from tests.unit.domain.learning.fleets import announced, client, events
from workers.health import Report


def known(*said):
    return Known(len(said), functools.reduce(fold_host, events(*said), None))


def test_a_client_is_told_with_all_that_cohorts_are_chosen_by():
    one = client("a", quality=0.9, network_mbps=50.0, charging=False, unmetered=True)
    assert _human([known(announced(clients=[one]))]).splitlines() == [
        "edge-1        eu       1 client, announced 2026-11-21 12:00:01 UTC",
        "  a: default 100 rows of quality 0.9, 50 Mbit/s, not charging, unmetered, trains logistic",
    ]


def test_the_first_of_many_clients_are_told():
    lines = _human([known(announced(clients=[client(f"c{n}") for n in range(7)]))]).splitlines()
    assert len(lines) == 7
    assert lines[-1] == "  and 2 more; --json has all of them"


def test_who_left_and_who_is_not_whole_yet_is_told():
    assert "0 clients, left 2026-11-21 12:00:02 UTC" in _human([known(announced(), Left("edge-1"))])
    assert _human([known(announced(part=1, parts=2))]).endswith("0 clients, not whole yet")


def test_a_region_without_a_node_is_named():
    assert _human([], "mars").startswith("no node of the region mars has announced")


def test_an_empty_fleet_names_the_command():
    assert "moot worker node --help" in _human([])


def test_as_data_it_holds_every_client():
    data = _data(known(announced(clients=[client("a")]), Left("edge-1")))
    assert (data["host"], data["version"], data["clients"][0]["id"]) == ("edge-1", 2, "a")
    assert (data["announced_at"], data["left_at"]) == (
        "2026-11-21T12:00:01+00:00",
        "2026-11-21T12:00:02+00:00",
    )


def report(*fleet):
    return Report(
        [],
        [],
        None,
        None,
        0,
        [dict(zip(("region", "hosts", "clients", "gone"), f, strict=True)) for f in fleet],
    )


def test_the_status_counts_by_region_and_says_nothing_where_nobody_came():
    assert _fleet(report()) == []
    assert _fleet(report(("eu", 2, 101, 0), ("us", 0, 0, 1))) == [
        "announced     eu: 2 nodes for 101 clients; 1 left"
    ]
    assert _fleet(report(("us", 0, 0, 3))) == ["announced     3 left"]
