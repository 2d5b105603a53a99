"""Layers, residency and versions: settings that refuse nonsense by its name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.causality.causal_context import Dot
from domain.context.layers import MAX_REGIONS, NAMES, Layer, Layers, layers_from
from domain.context.residency import Pin, PinnedElsewhere, Residency
from domain.context.state import fold
from domain.context.versions import VersionMoved, check_version, dots_of, version_of
from domain.refusal import Refusal
from tests.unit.domain.context.given import anything, wrote


def test_the_four_layers_have_these_defaults():
    layers = Layers()
    told = {name: layers.named(name) for name in NAMES}
    assert {
        name: (one.sync_seconds, one.rule, one.ttl_seconds, one.batched) for name, one in told.items()
    } == {
        "immediate": (0, "last_writer_wins", 300, False),
        "situational": (30, "semantic_merge", 3600, False),
        "cultural": (300, "regional_preference", 86400, False),
        "historical": (3600, "temporal_merge", 30 * 86400, True),
    }
    assert all(one.precedence == () for one in told.values())
    assert layers.immediate.ttl_ms == 300_000
    assert Layer(0, "ai_mediation", None).ttl_ms is None


def test_every_setting_of_a_layer_can_be_changed():
    layers = layers_from(
        {
            "cultural": {
                "precedence": ["eu", "us"],
                "sync_seconds": 1.5,
                "rule": "temporal_priority",
                "ttl_seconds": None,
                "batched": True,
            },
            "immediate": {},
        }
    )
    assert layers.cultural == Layer(1.5, "temporal_priority", None, batched=True, precedence=("eu", "us"))
    assert layers.immediate == Layers().immediate
    assert layers_from({}) == Layers()


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"social": {}}, "^layer: 'social' is none of immediate, situational, cultural, historical$"),
        ({"__class__": {}}, "^layer: "),
        ({"cultural": 5}, "^cultural: is no table of settings"),
        ({"cultural": {"color": 1}}, "^cultural.color: is no setting"),
        ({"cultural": {"sync_seconds": "soon"}}, "^cultural.sync_seconds: is not a number"),
        ({"cultural": {"sync_seconds": True}}, "^cultural.sync_seconds: is not a number"),
        ({"cultural": {"sync_seconds": -1}}, "^cultural.sync_seconds: -1 is outside 0 to"),
        ({"cultural": {"sync_seconds": float("nan")}}, "^cultural.sync_seconds: nan is outside"),
        ({"cultural": {"ttl_seconds": 0}}, "^cultural.ttl_seconds: 0 is outside 0.001 to"),
        ({"cultural": {"ttl_seconds": 1e12}}, "^cultural.ttl_seconds: "),
        ({"cultural": {"rule": None}}, "^cultural.rule: is not the name of a strategy"),
        ({"cultural": {"rule": "coin"}}, "^cultural.rule: Unknown resolution strategy: coin$"),
        ({"cultural": {"batched": 1}}, "^cultural.batched: is not true or false"),
        ({"cultural": {"precedence": "eu"}}, "^cultural.precedence: is not a list of regions"),
        ({"cultural": {"precedence": [1]}}, "^cultural.precedence: is not a list of regions"),
        ({"cultural": {"precedence": ["eu", "eu"]}}, "^cultural.precedence: names a region twice"),
        ({"cultural": {"precedence": [""]}}, "^cultural.precedence: names a region without a name"),
        (
            {"cultural": {"precedence": [str(n) for n in range(MAX_REGIONS + 1)]}},
            "^cultural.precedence: names 101 regions, at most 100",
        ),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused_by_layer_and_field(settings, problem):
    with pytest.raises(Refusal, match=problem):
        layers_from(settings)


def test_a_pinned_value_may_be_in_its_regions_and_nowhere_else():
    residency = Residency(
        (Pin(("eu", "ch"), layer="historical"), Pin(("eu", "us"), key="health/*"), Pin(("us",), key="x"))
    )
    assert residency.allows("historical", "any", "ch")
    assert not residency.allows("historical", "any", "us")
    assert residency.allows("immediate", "health/ann", "us")
    assert not residency.allows("immediate", "health/ann", "ch")
    assert residency.regions("historical", "health/ann") == {"eu"}
    assert residency.regions("immediate", "x") == {"us"}
    assert residency.regions("immediate", "xy") is None
    assert residency.allows("immediate", "xy", "anywhere")
    assert Residency().allows("immediate", "x", "anywhere")


def test_a_pin_of_a_key_in_one_layer_leaves_the_other_layers_alone():
    residency = Residency((Pin(("eu",), layer="cultural", key="x"),))
    assert not residency.allows("cultural", "x", "us")
    assert residency.allows("immediate", "x", "us")
    assert residency.allows("cultural", "y", "us")


def test_a_write_where_it_may_not_be_is_refused_with_the_regions_that_may_hold_it():
    residency = Residency((Pin(("eu", "ch"), key="x"), Pin(("us",), layer="immediate")))
    residency.check("cultural", "x", "eu")
    with pytest.raises(
        PinnedElsewhere, match=r"^region: us may not hold 'x' of layer cultural, which is pinned to ch, eu$"
    ):
        residency.check("cultural", "x", "us")
    with pytest.raises(PinnedElsewhere, match="pinned to regions that exclude each other"):
        residency.check("immediate", "x", "eu")


@pytest.mark.parametrize(("fields", "field"), [({"regions": ()}, "regions"), ({"regions": ("eu",)}, "key")])
def test_a_pin_that_pins_nothing_is_refused(fields, field):
    with pytest.raises(Refusal) as caught:
        Pin(**fields)
    assert caught.value.field == field


def test_a_version_names_the_siblings():
    one, two = wrote("us:2", 1), wrote("eu-1:3", 2)
    assert version_of(None) == "none"
    assert version_of(fold(None, one)) == "us:2"
    both = fold(fold(None, one), two)
    assert version_of(both) == "eu-1:3,us:2"
    assert dots_of(version_of(both)) == (Dot("eu-1", 3), Dot("us", 2))
    nothing = fold(fold(None, wrote("a:1", wall=9)), wrote("b:1", seen="a:1", wall=1, ttl_ms=1))
    assert version_of(nothing) == "none"


@given(st.lists(anything(), min_size=1, max_size=4))
def test_what_was_read_is_accepted_until_something_else_can_be_read(writes):
    entry = None
    for write in writes:
        before, entry = entry, fold(entry, write)
        check_version(entry, version_of(entry))
        if version_of(before) != version_of(entry):
            with pytest.raises(VersionMoved):
                check_version(entry, version_of(before))


def test_a_version_that_moved_is_named_beside_the_present_one():
    entry = fold(None, wrote("eu:1"))
    with pytest.raises(VersionMoved, match=r"^if_version: is none, but the region has eu:1; read it again$"):
        check_version(entry, "none")
    check_version(entry, None)
    check_version(fold(entry, wrote("us:2")), "us:2,eu:1")


@pytest.mark.parametrize(
    "nonsense", ["", "eu", "eu:0", "eu:-1", "eu:1,", "eu:1 us:1", ":1", "\x1b[2J:1", "eu:1" + "0" * 30]
)
def test_what_is_no_version_is_refused(nonsense):
    with pytest.raises(Refusal, match="is no version; `get` prints one") as caught:
        dots_of(nonsense)
    assert "\x1b" not in str(caught.value)
