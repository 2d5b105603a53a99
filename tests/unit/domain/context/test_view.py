"""What a reader is shown: a value, or the siblings and the reason why there is none."""

from functools import reduce

from domain.causality.causal_context import Dot
from domain.context.layers import Layer, Layers
from domain.context.replica import canonical_bytes
from domain.context.state import fold
from domain.context.view import conflict_in, view
from tests.unit.domain.context.given import wrote

SITUATIONAL = Layers().situational


def entry_of(*writes):
    return reduce(fold, writes, None)


def test_a_single_write_is_shown_with_its_version():
    write = wrote("eu:2", None, seen="eu:1 us:1")
    shown = view(entry_of(write), SITUATIONAL, "eu")
    assert (shown.present, shown.value, shown.siblings, shown.resolution) == (True, None, (write,), None)
    assert shown.version == "eu:2"
    assert shown.awaited == (Dot("eu", 1), Dot("us", 1))
    assert conflict_in(entry_of(write), SITUATIONAL, "eu") is None


def test_what_a_rule_settles_is_shown_as_a_value_beside_the_siblings():
    base, one, two = (
        wrote("eu:1", {"a": 1}),
        wrote("eu:2", {"a": 2}, seen="eu:1"),
        wrote("us:1", {"a": 1, "b": 1}, seen="eu:1"),
    )
    shown = view(entry_of(base, one, two), SITUATIONAL, "eu")
    assert (shown.present, shown.value) == (True, {"a": 2, "b": 1})
    assert shown.resolution.resolution == "semantic_merge"
    assert shown.version == "eu:2,us:1"
    assert len(shown.siblings) == 2


def test_where_a_decision_is_needed_nothing_is_present():
    shown = view(entry_of(wrote("eu:1", 1), wrote("us:1", 2)), SITUATIONAL, "eu")
    assert (shown.present, shown.value) == (False, None)
    assert shown.resolution.resolution is None
    assert len(shown.siblings) == 2


def test_each_region_looks_with_its_own_eyes_at_one_state():
    entry = entry_of(wrote("eu:1", "bonjour"), wrote("us:1", "hello"))
    layer = Layer(0, "regional_preference", None)
    assert [view(entry, layer, region).value for region in ("eu", "us")] == ["bonjour", "hello"]
    declared = Layer(0, "regional_preference", None, precedence=("us",))
    assert [view(entry, declared, region).value for region in ("eu", "us")] == ["hello", "hello"]


def test_an_ancestor_may_be_looked_up_in_history():
    base = wrote("eu:1", {"a": 1, "z": 0})
    chain = [wrote(f"eu:{n}", {"a": n, "z": 0}, seen=f"eu:{n - 1}") for n in range(2, 6)]
    entry = entry_of(base, *chain, wrote("us:1", {"a": 1, "z": 9}, seen="eu:1"))
    alone = view(entry, SITUATIONAL, "eu")
    assert alone.resolution.resolution is None
    assert conflict_in(entry, SITUATIONAL, "eu").ancestor.missing == (Dot("eu", 1),)
    assert view(entry, SITUATIONAL, "eu", history=[base]).value == {"a": 5, "z": 9}


def test_the_readers_clock_hides_what_is_over_and_changes_no_state():
    stays, goes = wrote("eu:1", 1, wall=100), wrote("us:1", 2, wall=100, ttl_ms=10)
    entry = entry_of(stays, goes)
    before = canonical_bytes(entry)
    assert not view(entry, SITUATIONAL, "eu", now_ms=109).present
    later = view(entry, SITUATIONAL, "eu", now_ms=110)
    assert (later.present, later.value, later.resolution) == (True, 1, None)
    assert later.version == "eu:1,us:1"
    assert canonical_bytes(entry) == before
    empty = view(entry_of(goes), SITUATIONAL, "eu", now_ms=110)
    assert (empty.present, empty.value, empty.siblings) == (False, None, ())


def test_a_text_merge_is_handed_on():
    base = "Bread is baked here. Cheese comes by ship. Wine is kept below."
    one, two = base.replace("Bread", "Dark bread"), base.replace("Wine", "Sweet wine")
    both = one.replace("Wine", "Sweet wine")
    entry = entry_of(wrote("eu:1", base), wrote("eu:2", one, seen="eu:1"), wrote("us:1", two, seen="eu:1"))
    assert not view(entry, SITUATIONAL, "eu").present
    assert view(entry, SITUATIONAL, "eu", merge_text=lambda *_: both).value == both
