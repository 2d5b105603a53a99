"""Each rule is a function of a set of siblings, and says what it did with what was written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.context.canonical import canonical
from domain.context.order import newest, newest_first
from domain.context.rules.conflict import Conflict, between
from domain.context.rules.moment import instant, stated
from domain.context.rules.regional_preference import preferred
from domain.context.rules.registry import CHOSEN, STRATEGIES, UnknownStrategy, classify, resolve, strategy
from domain.context.rules.temporal_merge import NoEvent, union
from domain.refusal import Refusal
from tests.unit.domain.context.given import anything, deliveries, wrote

NOON, ONE = "2026-01-01T12:00:00Z", "2026-01-01T13:00:00Z"
EVENTS = (
    {"at": NOON, "did": "a"},
    {"at": NOON, "did": "b"},
    {"did": "c"},
    {"did": "d", "time": 1_700_000_000_000},
    [{"at": ONE, "did": "e"}, {"at": NOON, "did": "a"}],
    [],
    [{"at": "2026-01-01T13:00:00+01:00", "id": 1}],
    [{"at": ONE, "id": 1}],
    "no event",
    {"at": "soon"},
    {"valid_until": 1_700_000_000_000},
    {"valid_from": NOON, "valid_until": ONE},
)
siblings_of_all_kinds = st.lists(anything((*EVENTS, 1, True, {"a": 1})), min_size=1, max_size=5)
PRECEDENCES = st.sampled_from([(), ("us",), ("eu", "us"), ("ap", "eu", "us"), ("mars",)])


def told(resolution):
    return canonical([resolution.resolution, resolution.merged_context, *resolution[2:]])


@given(siblings_of_all_kinds, PRECEDENCES, st.sampled_from(sorted(STRATEGIES)), st.data())
def test_every_rule_gives_the_same_bytes_for_any_order_and_number(writes, precedence, rule, data):
    def resolved(of):
        return told(resolve(between(of, rule=rule, region="eu", precedence=precedence)))

    assert resolved(data.draw(deliveries(writes))) == resolved(writes)


@given(siblings_of_all_kinds, st.sampled_from(sorted(STRATEGIES)))
def test_a_resolution_is_settled_or_says_where_a_decision_is_needed(writes, rule):
    resolution = resolve(between(writes, rule=rule), rule)
    assert 0 <= resolution.confidence <= 1
    assert resolution.reason
    if resolution.resolution is None:
        assert resolution.contradictions
        assert resolution.merged_context is None
    else:
        assert resolution.resolution == rule
        assert resolution.contradictions == ()
        assert resolution.confidence > 0


@given(siblings_of_all_kinds, siblings_of_all_kinds)
def test_choosing_rules_may_choose_from_what_was_chosen_before(one, other):
    """A maximum: associative, and idempotent with it."""
    assert newest([newest(one), newest(other)]) == newest([*one, *other])

    def chosen(of):
        return preferred(newest_first(of), ("us", "ap"), "eu")

    assert chosen([chosen(one), chosen(other)]) == chosen([*one, *other])


@given(siblings_of_all_kinds, siblings_of_all_kinds)
def test_the_union_of_unions_is_the_union(one, other):
    def events(*writes):
        try:
            return [(happening.at, canonical(happening.event)) for happening in union(writes)]
        except NoEvent:
            return None

    apart = [events(*one), events(*other)]
    together = events(*one, *other)
    assert (together is None) == (None in apart)
    if together is not None:
        earliest = {}
        for at, text in [*apart[0], *apart[1]]:
            earliest[text] = min(at, earliest.get(text, at))
        assert together == sorted((at, text) for text, at in earliest.items())


def test_the_last_writer_wins_and_the_share_that_stands_is_told():
    early, late = wrote("eu:1", {"a": 1}, wall=1), wrote("us:1", {"a": 2}, wall=2)
    resolution = resolve(between([early, late]), "last_writer_wins")
    assert resolution[:4] == ("last_writer_wins", {"a": 2}, 0.5, ("",))
    assert "us:1 is the latest of 2" in resolution.reason
    assert (
        resolve(between([early, late, wrote("ap:1", {"a": 1}, wall=0)]), "last_writer_wins").confidence == 0.5
    )
    assert resolve(between([early, wrote("ap:1", {"a": 1})]), "last_writer_wins").confidence == 1


@pytest.mark.parametrize(
    ("precedence", "region", "value", "reason"),
    [
        (("us", "eu"), "eu", "us early", "us is preferred"),
        (("us",), "ap", "us early", "us is preferred"),
        (("mars",), "eu", "eu", "eu keeps its own"),
        ((), "us", "us early", "us keeps its own"),
        ((), "mars", "ap", "the latest"),
        (("eu",), "eu", "eu", "eu is preferred"),
    ],
)
def test_the_declared_region_is_preferred_and_until_it_comes_each_keeps_its_own(
    precedence, region, value, reason
):
    writes = [
        wrote("eu:1", "eu", wall=2),
        wrote("us:1", "us earlier", wall=0),
        wrote("us-2:1", "us early", wall=1),
        wrote("ap:1", "ap", wall=3),
    ]
    conflict = between(writes, rule="regional_preference", precedence=precedence, region=region)
    resolution = resolve(conflict)
    assert (resolution.resolution, resolution.merged_context) == ("regional_preference", value)
    assert reason in resolution.reason
    assert resolution.confidence == 0.25


@given(siblings_of_all_kinds, st.sampled_from(["eu", "us", "ap"]), st.sampled_from(["eu", "us", "ap"]))
def test_regions_agree_as_soon_as_the_declared_value_is_there(writes, here, there):
    declared = wrote("mars:1", "the one")
    views = [
        resolve(between([*writes, declared], rule="regional_preference", precedence=("mars",), region=region))
        for region in (here, there)
    ]
    assert views[0] == views[1]
    assert views[0].merged_context == "the one"


def test_events_are_united_in_event_time_once_each():
    one = wrote("eu:1", [{"at": ONE, "did": "e"}, {"at": NOON, "did": "a"}])
    two = wrote("us:1", [{"at": NOON, "did": "a"}, {"at": "2026-01-01T12:30:00+00:00", "did": "m"}])
    resolution = resolve(between([one, two], rule="temporal_merge"))
    assert [event["did"] for event in resolution.merged_context] == ["a", "m", "e"]
    assert resolution[2:4] == (1.0, ("/0", "/1", "/2"))


def test_two_events_without_a_time_are_one_if_and_only_if_they_are_the_same():
    early, late = 1_767_225_600_100, 1_767_225_600_250
    for other, count in (({"n": 1}, 1), ({"n": True}, 2), ({"n": 2}, 2)):
        writes = [wrote("eu:1", {"n": 1}, wall=late), wrote("us:1", other, wall=early)]
        third = wrote("ap:1", [{"at": NOON, "n": 1}])
        assert len(resolve(between([*writes, third]), "temporal_merge").merged_context) == count + 1
    three = [wrote(f"n{n}:1", {"n": n % 2}, wall=early + n) for n in range(3)]
    assert len(resolve(between(three), "temporal_merge").merged_context) == 2


def test_events_of_different_times_are_united_in_event_time_too():
    one, two = wrote("eu:1", {"timestamp": ONE, "did": "e"}), wrote("us:1", {"occurred_at": NOON, "did": "a"})
    assert resolve(between([one, two]), "temporal_merge").merged_context == [two.value, one.value]


def test_an_event_without_a_time_happened_when_it_was_written_and_the_result_says_so():
    one = wrote("eu:1", {"did": "a"}, wall=1_767_225_600_250)
    again = wrote("us:1", {"did": "a"}, wall=1_767_225_600_100)
    other = wrote("ap:1", {"at": "1999-01-01T00:00:00Z", "did": "b"})
    assert resolve(between([one, again, other]), "temporal_merge").merged_context == [
        {"at": "1999-01-01T00:00:00Z", "did": "b"},
        {"at": "2026-01-01T00:00:00.100000Z", "did": "a"},
    ]
    far = wrote("mars:1", {"did": "c"}, wall=2**62)
    assert (
        resolve(between([far, other]), "temporal_merge")
        .merged_context[1]["at"]
        .startswith("9999-12-31T23:59:59")
    )


def test_what_all_wrote_the_same_is_left_as_it_is():
    for value in ("text", {"did": "a"}, [1]):
        for rule in STRATEGIES:
            resolution = resolve(between([wrote("eu:1", value), wrote("us:1", value)], rule=rule))
            assert (resolution.merged_context, resolution.confidence) == (value, 1.0)
            assert resolution.resolution == rule


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("text", "a value is no event"),
        (5, "a value is no event"),
        (["text"], "a list holds what is no event"),
        ([{"did": "x"}], "does not state its time"),
        ({"at": "yesterday"}, "an event's at is no instant"),
        ({"at": "2026-01-01T12:00:00"}, "is no instant"),
        ({"time": 1_700_000_000}, "an event's time is no instant"),
        ({"at": True}, "is no instant"),
        ({"at": NOON, "id": "e1", "did": "y"}, 'different events with the id "e1"'),
    ],
)
def test_what_is_no_event_or_contradicts_one_needs_a_decision(value, reason):
    event = wrote("us:1", {"at": NOON, "id": "e1", "did": "x"})
    resolution = resolve(between([wrote("eu:1", value), event]), "temporal_merge")
    assert resolution[:4] == (None, None, 0.0, ())
    assert reason in resolution.reason


def test_the_newest_that_is_still_valid_stands():
    def settled(*values, now=0, ttl_ms=None):
        first, *rest = [
            wrote(f"n{place}:1", value, wall=1_767_268_800_000 + place) for place, value in enumerate(values)
        ]
        last = wrote("z:1", {"valid_until": NOON}, wall=1_767_268_800_000 + now, ttl_ms=ttl_ms)
        return resolve(between([first, *rest, last], rule="temporal_priority"))

    assert settled("old", "new", now=10)[:3] == ("temporal_priority", "new", 0.5)
    assert settled({"valid_until": ONE}, now=0).confidence == 1.0  # the end is excluded
    assert settled({"valid_until": ONE}, now=10)[:3] == ("temporal_priority", {"valid_until": ONE}, 1.0)
    assert settled({"valid_from": NOON}, {"valid_from": ONE}, now=9).merged_context == {"valid_from": NOON}
    nothing = settled({"valid_from": ONE}, {"valid_until": "2025-01-01T00:00:00Z"}, now=9)
    assert nothing[:2] == (None, None)
    assert "none of 3 is valid" in nothing.reason
    assert "no instant" in settled({"valid_from": "later"}, now=9).reason
    assert "no instant" in settled({"valid_until": "later"}, now=9).reason


def test_what_has_expired_is_not_valid_either():
    dead, alive = wrote("eu:1", "dead", wall=10, ttl_ms=5), wrote("us:1", "alive", wall=9)
    conflict = between([dead, alive, wrote("ap:1", {"valid_from": NOON}, wall=15)], rule="temporal_priority")
    assert resolve(conflict).merged_context == "alive"


def test_a_mediation_merges_nothing():
    resolution = resolve(between([wrote("eu:1", 1), wrote("us:1", 2)]), "ai_mediation")
    assert resolution == (None, None, 0.0, (), "2 siblings differ and no rule may merge them", ("",))


@pytest.mark.parametrize(
    ("rule", "values", "kind"),
    [
        ("last_writer_wins", (1, 2), "recency"),
        ("regional_preference", (1, 2), "regional_variants"),
        ("temporal_priority", (1, 2), "validity"),
        ("ai_mediation", ({}, {"a": 1}), "contradiction"),
        ("temporal_merge", ({}, []), "chronicle"),
        ("temporal_merge", ({}, 1), "contradiction"),
        ("temporal_merge", (1, 1), "chronicle"),
        ("semantic_merge", ({}, {"a": 1}), "structured"),
        ("semantic_merge", ("a", "b"), "edited_text"),
        ("semantic_merge", ("a", {}), "contradiction"),
        ("semantic_merge", (1, 1), "edited_text"),
    ],
)
def test_a_conflict_is_classified_by_its_layers_rule_and_what_it_holds(rule, values, kind):
    conflict = between([wrote(f"n{n}:1", value) for n, value in enumerate(values)], rule=rule)
    assert classify(conflict) == kind
    assert resolve(conflict) == STRATEGIES[CHOSEN[kind]](conflict)


def test_the_registry_knows_six_strategies_and_refuses_any_other_by_its_name():
    assert {*CHOSEN.values()} == {*STRATEGIES}
    assert all(strategy(name) is found for name, found in STRATEGIES.items())
    conflict = between([wrote("eu:1", 1), wrote("us:1", 2)], rule="coin")
    for ask in (lambda: strategy("coin"), lambda: classify(conflict), lambda: resolve(conflict, "coin")):
        with pytest.raises(UnknownStrategy, match=r"^Unknown resolution strategy: coin$"):
            ask()
    with pytest.raises(UnknownStrategy) as caught:
        strategy("\x1b[2J")
    assert "\x1b" not in str(caught.value)


def test_a_conflict_is_of_one_key():
    with pytest.raises(Refusal, match="of one key, at least one"):
        between([wrote("eu:1"), wrote("us:1", key="other")])
    with pytest.raises(Refusal, match="at least one"):
        between([])


def test_a_conflict_stands_alone_with_nothing_but_its_siblings():
    assert resolve(Conflict((wrote("eu:1", 1), wrote("us:1", 2)))).resolution is None


@given(st.integers(100_000_000_000, 253_402_300_799_999))
def test_an_instant_reads_back(ms):
    assert instant(ms) == ms * 1000
    assert instant(stated(ms * 1000)) == ms * 1000


@pytest.mark.parametrize(
    "no_instant", [None, 1.5e12, 99_999_999_999, 253_402_300_800_000, True, "2026-01-01", "noon", "", [], {}]
)
def test_a_time_without_a_zone_or_unit_is_no_instant(no_instant):
    assert instant(no_instant) is None
