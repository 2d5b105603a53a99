"""`moot fleet list` at a terminal: who is there, with what, and who left."""

import functools

from cli.fleet import _data, _human
from cli.status import _fleet
from domain.learning.fleet import Left
from domain.learning.roster import contested, fold_host
from projections.fleet_queries import Known
from tests.unit.domain.learning.fleets import announced, client, events
from workers.health import Report


def known(*said):
    return Known(len(said), functools.reduce(fold_host, events(*said), None))


def human(found):
    return _human(found, contested(one.host for one in found))


def data(one, *others):
    return _data(one, contested(each.host for each in (one, *others)))


def test_a_client_is_told_with_its_data_and_how_it_is_at_the_moment():
    one = client("a", quality=0.9, network_mbps=50.0, charging=False, unmetered=True)
    assert human([known(announced(clients=[one]))]).splitlines() == [
        "edge-1        eu       1 client, announced 2026-11-21 12:00:01 UTC",
        "  a: default 100 rows of quality 0.9, 50 Mbit/s, not charging, unmetered, trains logistic",
    ]


def test_the_first_of_many_clients_are_told():
    lines = human([known(announced(clients=[client(f"c{n}") for n in range(7)]))]).splitlines()
    assert len(lines) == 7
    assert lines[-1] == "  and 2 more; --json has all of them"


def test_who_left_and_who_is_not_whole_yet_is_told():
    assert "0 clients, left 2026-11-21 12:00:02 UTC" in human([known(announced(), Left("edge-1"))])
    assert human([known(announced(part=1, parts=2))]).endswith("0 clients, not whole yet")


def test_a_region_without_a_node_is_named():
    assert _human([], {}, "mars").startswith("no node of the region mars has announced")


def test_an_empty_fleet_names_the_command():
    assert "moot worker node --help" in human([])


def test_a_client_that_another_node_announced_first_is_named_with_it():
    ids = [f"c{n}" for n in range(7)]
    first = known(announced("edge-1", [client(name) for name in ids]))
    late = known(announced("edge-2"), announced("edge-2", [client(name) for name in reversed(ids)]))
    lines = human([first, late]).splitlines()
    assert [line for line in lines if "stay" in line] == [
        *(f"  c{n} stays with edge-1, which announced it first" for n in range(5)),
        "  and 2 more stay elsewhere; --json has all of them",
    ]
    assert data(late, first)["elsewhere"] == dict.fromkeys(ids, "edge-1")
    assert data(first, late)["elsewhere"] == {}


def test_as_data_it_holds_every_client():
    found = data(known(announced(clients=[client("a")]), Left("edge-1")))
    assert (found["host"], found["version"], found["clients"][0]["id"]) == ("edge-1", 2, "a")
    assert (found["announced_at"], found["left_at"]) == (
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
