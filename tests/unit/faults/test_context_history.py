"""The checker says nothing of a history that keeps its promises, and names each breach of one."""

import hashlib
from dataclasses import replace
from functools import reduce

import pytest

from domain.causality.causal_context import Dot
from domain.context.recording import recorded
from domain.context.replica import canonical_bytes
from domain.context.residency import Pin, Residency
from domain.context.state import fold
from eventlog.codec import encode
from tests.faults.context_history import violations
from tests.faults.context_record import Call, History, Logged, Opened, Region
from tests.faults.context_simulation import Simulation
from tests.unit.domain.context.given import wrote

PLACE = ("situational", "k")
ONE = wrote("eu-1:1", "one")
TWO = wrote("us-1:1", "two", wall=1001)
THREE = wrote("eu-1:2", "three", seen="eu-1:1", wall=1002)
RULING = wrote("case.c:1", "three", seen="eu-1:2 us-1:1", region="eu", wall=1003, case="c")
WRITES = (ONE, TWO, THREE, RULING)
CASE = Opened("c", PLACE, 1, 2, (THREE.dot, TWO.dot))


def event_of(write, region="eu"):
    return recorded(write, region, Residency())


def region(name, *writes, entry=None, digest=None):
    """A region whose table says what its log says, unless told otherwise."""
    log = tuple(Logged(event_of(one, name).id, encode(event_of(one, name)), one) for one in writes)
    entry = entry or reduce(fold, writes, None)
    dots = {one.dot for one in writes}
    own = hashlib.sha256(canonical_bytes(entry)).hexdigest()
    return Region(name, log, {PLACE: entry}, {PLACE: len(dots)}, digest or own)


def put(write, began, *, outcome="ok"):
    event = event_of(write, write.region).id if outcome == "ok" else ""
    dots = (write.dot,) if outcome == "ok" else ()
    return Call(write.node, write.region, "put", PLACE, began, write.value, outcome, began + 1, event, dots)


def get(began, *dots, node="eu-1", value=None):
    return Call(node, node[:2], "get", PLACE, began, value, "ok", began + 1, dots=dots)


CALLS = (put(ONE, 1), put(TWO, 1), put(THREE, 3), get(5, THREE.dot), get(7, RULING.dot, value="three"))
KEPT = History(CALLS, (region("eu", *WRITES), region("us", *WRITES[::-1], ONE)), cases=(CASE,))


def calls(*told):
    return replace(KEPT, calls=(*CALLS, *told))


def logs(*writes, cases=(CASE,)):
    return replace(KEPT, regions=(region("eu", *writes), region("us", *writes)), cases=cases)


def us(there):
    return replace(KEPT, regions=(KEPT.regions[0], there))


def forged(one, **fields):
    return replace(one, log=(*one.log, one.log[0]._replace(**fields)))


EU, US = KEPT.regions
AGAIN = wrote("eu-1:3", "three", seen="eu-1:2", wall=1004)
LATE = wrote("eu-1:3", "four", wall=1004)
SHORT = wrote("eu-1:1", "one", ttl_ms=1)
WITHOUT = reduce(fold, [ONE, THREE, RULING], None)
ARRIVED = reduce(fold, WRITES, None)._replace(siblings=(ONE,))
PINNED = Residency((Pin(("eu",), key="k"),))
BREACHES = {
    "an answered put is on no log": ("lost", logs(ONE, THREE, cases=())),
    "one put is two writes": ("doubled", logs(*WRITES, AGAIN)),
    "a refused put is there": ("refused", replace(KEPT, calls=(put(THREE, 3, outcome="fail"), *CALLS[:2]))),
    "another value is there": ("altered", replace(KEPT, calls=(replace(CALLS[0], value="uno"), *CALLS[1:]))),
    "nobody put what is there": ("invented", logs(*WRITES, LATE)),
    "one event has two texts": ("forked", us(forged(US, raw=b"{}"))),
    "one dot is two writes": ("forked", us(forged(US, write=replace(ONE, writer="bob")))),
    "a write did not get there": ("missing", us(region("us", ONE, THREE, RULING, entry=WITHOUT))),
    "a pinned write got there": ("misplaced", replace(KEPT, residency=PINNED)),
    "hashes differ": ("diverged", us(region("us", *WRITES, digest="0"))),
    "states differ": ("diverged", us(region("us", *WRITES, entry=WITHOUT, digest=EU.digest))),
    "a table took what arrived last": ("siblings", us(region("us", *WRITES, entry=ARRIVED))),
    "a table says another state than its log": ("misfolded", us(region("us", *WRITES, entry=WITHOUT))),
    "a table has no row": ("misfolded", us(replace(US, entries={}))),
    "a row has no write": ("misfolded", us(replace(US, log=()))),
    "a row counts a write twice": ("miscounted", us(replace(US, counted={PLACE: 5}))),
    "a read shows what nobody wrote": ("unwritten", calls(get(9, RULING.dot, value={"a": ["five"]}))),
    "a read shows another write's value": ("misshown", calls(get(9, RULING.dot, value="two"))),
    "a read shows a write that is on no log": ("unlogged", calls(get(9, RULING.dot, Dot("eu-1", 9)))),
    "a node does not show its own write": ("forgotten", calls(get(5, node="eu-1"))),
    "a node forgets what it showed": ("forgotten", calls(get(9, TWO.dot))),
    "what was replaced stands again": ("returned", calls(get(9, RULING.dot, THREE.dot))),
    "what was over stands again": (
        "returned",
        replace(
            logs(SHORT, *WRITES[1:]), calls=(get(1, TWO.dot, node="us-1"), get(3, SHORT.dot, node="us-1"))
        ),
    ),
    "a case was opened twice": ("opened twice", replace(KEPT, cases=(CASE, CASE))),
    "a key has two cases at once": ("opened twice", replace(KEPT, cases=(CASE, Opened("d", PLACE, 1.5)))),
    "a ruling was applied twice": (
        "ruled",
        logs(*WRITES, replace(RULING, node="case.c", counter=2, wall=1009)),
    ),
    "a ruling was not applied": ("ruled", logs(ONE, TWO, THREE)),
    "a ruling came from no case": ("ruled", replace(KEPT, cases=())),
    "a ruling left out a sibling": ("ruled", logs(ONE, TWO, THREE, replace(RULING, seen={"eu-1": 2}))),
}


def test_a_history_that_keeps_every_promise_is_not_complained_of():
    assert violations(KEPT) == []


@pytest.mark.parametrize(("kind", "history"), BREACHES.values(), ids=BREACHES)
def test_a_breach_is_named(kind, history):
    assert kind in {one.kind for one in violations(history)}


def test_a_put_that_nobody_answered_may_be_there_once_or_not_at_all():
    unknown = replace(put(THREE, 3), outcome="info", event="", dots=(), ended=None)
    with_it = replace(KEPT, calls=(*CALLS[:2], unknown, *CALLS[3:]))
    assert violations(with_it) == []
    other = replace(unknown, value="never stored")
    assert violations(replace(KEPT, calls=(*CALLS, other))) == []
    assert "doubled" in {
        one.kind for one in violations(replace(with_it, regions=logs(*WRITES, AGAIN).regions))
    }


def test_calls_at_the_same_time_may_see_each_other_or_not():
    overlapping = replace(get(2, ONE.dot), ended=6)
    assert violations(calls(overlapping)) == []
    assert {one.kind for one in violations(calls(get(9, ONE.dot)))} == {"forgotten", "returned"}


def test_what_ran_out_is_not_forgotten():
    history = replace(
        logs(SHORT, *WRITES[1:]), calls=(get(1, SHORT.dot), get(3, TWO.dot), get(5, RULING.dot))
    )
    assert {one.kind for one in violations(history)} <= {"invented"}


def test_simulated_regions_keep_every_promise_through_cuts_kills_and_clocks_minutes_apart():
    for seed in range(2):
        assert violations(Simulation(seed).run(80)) == []
