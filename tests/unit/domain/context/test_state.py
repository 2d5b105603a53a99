"""The fold of a key: any order, number and batching of deliveries gives one state, in equal bytes."""

from dataclasses import replace
from functools import reduce

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.causality.causal_context import EMPTY, CausalContext, Dot, add, covers
from domain.causality.causal_context import join as join_contexts
from domain.causality.hybrid_clock import Timestamp
from domain.context.ancestors import KEPT
from domain.context.events import fingerprint
from domain.context.expiry import expired, expires_at
from domain.context.order import newest_first, place
from domain.context.replica import canonical_bytes
from domain.context.state import Entry, absorb, awaited, context_of, fold, join
from domain.refusal import ImpossibleEvent
from tests.unit.domain.context.given import anything, deliveries, histories, wrote
from tests.unit.drawing import examples

sets_of_writes = st.lists(anything(), min_size=1, max_size=6)
small_sets = st.lists(anything(), min_size=1, max_size=3)


def folded(writes):
    return reduce(fold, writes, None)


def specified(writes):
    """The state by its definition: a function of the set of writes, with no eye to speed or order."""
    distinct = {fingerprint(write): write for write in writes}.values()
    seen = reduce(join_contexts, (write.context for write in distinct), EMPTY)
    received = reduce(add, (write.dot for write in distinct), EMPTY)
    newest = max(write.clock for write in distinct)
    standing = [write for write in distinct if not expired(write, newest)]
    replaced = [w for w in standing if covers(seen, w.dot) and isinstance(w.value, dict | str)]
    replaced.sort(key=lambda w: (expires_at(w), place(w), fingerprint(w)), reverse=True)
    siblings = newest_first(write for write in standing if not covers(seen, write.dot))
    return Entry("situational", "k", siblings, seen, received, newest, tuple(replaced[:KEPT]))


@given(sets_of_writes, st.data())
def test_the_state_is_what_its_definition_says_whatever_the_order_and_number(writes, data):
    delivered = data.draw(deliveries(writes))
    assert canonical_bytes(folded(delivered)) == canonical_bytes(specified(writes))


@given(histories(ttls=(None, 0.5, 300)), st.data())
def test_replicas_of_working_nodes_converge_to_equal_bytes(writes, data):
    replicas = [folded(data.draw(deliveries(writes))) for _ in range(3)]
    assert len({canonical_bytes(replica) for replica in replicas}) == 1


@given(small_sets, small_sets)
def test_batches_may_be_folded_apart_and_joined(one, other):
    apart = join(folded(one), folded(other))
    assert canonical_bytes(apart) == canonical_bytes(specified([*one, *other]))


@given(small_sets, small_sets, small_sets)
def test_join_is_commutative_associative_and_idempotent(a, b, c):
    a, b, c = folded(a), folded(b), folded(c)
    assert canonical_bytes(join(a, b)) == canonical_bytes(join(b, a))
    assert canonical_bytes(join(a, join(b, c))) == canonical_bytes(join(join(a, b), c))
    assert canonical_bytes(join(a, a)) == canonical_bytes(a)


@given(histories(), st.data())
def test_each_write_is_received_once_and_is_then_a_duplicate(writes, data):
    entry, received = None, set()
    for write in data.draw(deliveries(writes)):
        entry, standing = absorb(entry, write)
        assert (standing == "duplicate") == (write.dot in received)
        received.add(write.dot)
        assert {w.dot for w in writes if covers(entry.received, w.dot)} == received


@given(histories(), st.data())
def test_new_dominated_and_concurrent_are_what_causal_histories_say(writes, data):
    """Schwarz, Mattern 1994: a write precedes another if it is in the set of those that one had seen."""
    entry, arrived = None, []
    for write in data.draw(st.permutations(writes)):
        entry, standing = absorb(entry, write)
        followed = any(covers(other.context, write.dot) for other in arrived)
        beside = [
            other
            for other in arrived
            if not covers(write.context, other.dot)
            and not any(covers(third.context, other.dot) for third in arrived)
        ]
        expected = "dominated" if followed else "concurrent" if beside else "new"
        assert standing == expected
        arrived.append(write)


@given(histories())
def test_nothing_is_overwritten_unseen(writes):
    entry = folded(writes)
    for write in writes:
        replaced_by = [other for other in writes if covers(other.context, write.dot)]
        assert bool(replaced_by) != (write in entry.siblings)


def test_the_plain_case_takes_the_short_way_to_the_same_state(monkeypatch):
    writes = [
        wrote("a:1", {"n": 1}),
        wrote("b:1", {"n": 2}, seen="a:1"),
        wrote("b:2", 3, seen="a:1 b:1"),
        wrote("c:1", 4, seen="b:2"),
        wrote("d:1", 5, seen="b:2"),
        wrote("a:2", 6, seen="a:1 b:2 c:1 d:1"),
        wrote("e:1", 7, wall=1),
    ]
    short = folded(writes)
    monkeypatch.setattr("domain.context.state._plainly", lambda *_: None)
    assert canonical_bytes(folded(writes)) == canonical_bytes(short)
    assert short.seen == CausalContext({"a": 1, "b": 2, "c": 1, "d": 1})
    assert [write.value for write in short.siblings] == [6, 7]


def test_what_leaves_the_plain_case_by_one_condition_takes_the_long_way():
    knows_more = wrote("b:1", 1, beyond={"a": (2,)}, wall=1)
    late = wrote("a:2", 3, wall=9)
    entry = folded([knows_more, wrote("c:1", 2, seen="b:1", wall=2), late])
    assert [write.value for write in entry.siblings] == [2]
    in_a_circle = [wrote("b:1", 1, seen="a:1", wall=1), wrote("a:1", 2, seen="b:1", wall=2)]
    for order in (in_a_circle, in_a_circle[::-1]):
        assert canonical_bytes(folded(order)) == canonical_bytes(specified(in_a_circle))
        assert folded(order).siblings == ()


def test_concurrent_writes_are_siblings_until_one_has_seen_them():
    left, right = wrote("eu:1", "l"), wrote("us:1", "r", wall=1001)
    both = wrote("ap:1", "b", seen="eu:1 us:1")
    entry, standing = absorb(fold(None, left), right)
    assert (entry.siblings, standing) == ((right, left), "concurrent")
    entry, standing = absorb(entry, both)
    assert (entry.siblings, standing) == ((both,), "new")
    assert entry.ancestors == (right, left)


def test_two_writes_of_one_node_that_saw_neither_are_siblings_too():
    """What a plain version vector cannot say, and a dotted one can (Preguiça et al. 2012)."""
    one, two = wrote("eu:1", "one"), wrote("eu:2", "two", wall=1001)
    assert folded([one, two]).siblings == (two, one)
    assert folded([two, one]).siblings == (two, one)
    assert folded([two, wrote("us:1", "late", beyond={"eu": (2,)}), one]).siblings[-1] == one
    at_once = wrote("eu:2", "two", wall=one.wall)  # told apart by their hashes only
    assert folded([one, at_once]).siblings == folded([at_once, one]).siblings == newest_first([one, at_once])


def test_a_late_write_that_was_seen_already_is_dominated_and_no_duplicate():
    first, second = wrote("eu:1", "first"), wrote("us:1", "second", seen="eu:1")
    entry = fold(None, second)
    assert awaited(entry) == (Dot("eu", 1),)
    entry, standing = absorb(entry, first)
    assert (standing, entry.siblings, entry.ancestors, awaited(entry)) == (
        "dominated",
        (second,),
        (first,),
        (),
    )
    assert absorb(entry, first) == (entry, "duplicate")


def test_a_dot_given_twice_is_told_and_both_writes_stand():
    one, two = wrote("eu:1", True), wrote("eu:1", 1)
    entry, standing = absorb(fold(None, one), two)
    assert standing == "forked"
    assert set(map(fingerprint, entry.siblings)) == {fingerprint(one), fingerprint(two)}
    assert canonical_bytes(entry) == canonical_bytes(folded([two, one, two]))


def test_expiry_follows_the_newest_clock_of_the_key():
    short = wrote("eu:1", "short", wall=1000, ttl_ms=500)
    at_the_end = wrote("us:1", "later", wall=1500)
    just_before = wrote("us:1", "later", wall=1499)
    assert folded([short, just_before]).siblings == (just_before, short)
    assert folded([short, at_the_end]).siblings == (at_the_end,)
    entry, standing = absorb(fold(None, at_the_end), short)
    assert (entry.siblings, standing) == ((at_the_end,), "expired")
    assert absorb(entry, short)[1] == "duplicate"


def test_what_had_expired_is_no_ancestor_in_any_order():
    old = wrote("eu:1", "old", wall=1000, ttl_ms=100)
    after = wrote("us:1", "after", seen="eu:1", wall=1050)
    late = wrote("ap:1", "late", wall=2000)
    assert folded([old, after]).ancestors == (old,)
    assert folded([old, after, late]).ancestors == folded([late, after, old]).ancestors == ()


def test_who_reads_has_seen_what_arrived_and_what_that_had_seen():
    entry = folded([wrote("eu:2", 1, seen="us:3")])
    assert context_of(entry) == CausalContext({"us": 3}, frozenset({Dot("eu", 2)}))
    assert context_of(None) == EMPTY


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"counter": 0}, "counter"),
        ({"counter": 2**31}, "counter"),
        ({"node": "eu 1"}, "node"),
        ({"node": "eu-1:1,us-1"}, "node"),
        ({"node": "\x1b[31m"}, "node"),
        ({"wall": -1}, "clock"),
        ({"logical": -1}, "clock"),
        ({"ttl_ms": 0}, "ttl_ms"),
        ({"seen": {"us": 0}}, "seen"),
        ({"seen": {"us": 2**31}}, "seen"),
        ({"seen": {"eu": 1}}, "seen"),
        ({"beyond": {"us": (0,)}}, "beyond"),
        ({"beyond": {"us": (2**31,)}}, "beyond"),
        ({"beyond": {"eu": (1,)}}, "beyond"),
    ],
)
def test_a_write_whose_numbers_contradict_themselves_is_refused(fields, field):
    with pytest.raises(ImpossibleEvent) as caught:
        fold(None, replace(wrote("eu:1", 1), **fields))
    assert caught.value.field == field


def test_an_empty_list_of_dots_beyond_says_nothing():
    assert fold(None, wrote("eu:1", 1, beyond={"us": ()})).seen == EMPTY


@pytest.mark.parametrize("other", [{"key": "other"}, {"layer": "cultural"}])
def test_a_write_of_another_key_is_refused(other):
    with pytest.raises(ImpossibleEvent, match="another key or layer"):
        fold(fold(None, wrote("eu:1", 1)), wrote("eu:2", 2, **other))


def test_the_state_holds_the_newest_clock_even_of_a_dominated_write():
    entry = folded([wrote("us:1", 1, seen="eu:1", wall=5), wrote("eu:1", 0, wall=9, logical=2)])
    assert entry.newest == Timestamp(9, 2)


@examples(30)
@given(sets_of_writes)
def test_a_fold_changes_nothing_in_place(writes):
    entry = folded(writes)
    before = canonical_bytes(entry)
    for write in writes:
        absorb(entry, write)
    assert canonical_bytes(entry) == before
