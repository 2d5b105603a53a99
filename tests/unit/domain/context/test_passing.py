"""What one region passes on to others, and by which policy."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.context.events import stream_of
from domain.context.layers import Layers
from domain.context.passing import by_urgency, own_write
from domain.context.policy import ContextPolicy, policy_from
from domain.context.priority import sync_priority
from domain.context.recording import recorded
from domain.context.residency import Pin, Residency
from domain.deadletters import Discarded
from domain.refusal import Refusal
from tests.unit.domain.context.given import wrote

EVERYWHERE = Residency()
FLAGS = st.sets(st.sampled_from(["user_facing", "personality_critical", "conflict_resolution", "historical"]))


def test_a_region_passes_on_its_own_writes_and_not_those_that_came_to_it():
    write = wrote("eu-1:1", 5)
    assert own_write(recorded(write, "eu", EVERYWHERE), "eu") is write
    copy = recorded(write, "us", EVERYWHERE)
    assert own_write(copy, "us") is None
    assert own_write(copy, "eu") is None, "it lies in the stream of another region"


def test_what_is_no_write_or_lies_in_another_stream_is_not_passed_on():
    event = recorded(wrote("eu-1:1", 5), "eu", EVERYWHERE)
    assert own_write(replace(event, stream=stream_of("eu", "cultural", "k")), "eu") is None
    assert own_write(replace(event, version=2), "eu") is None
    assert own_write(replace(event, time=event.time + timedelta(seconds=1)), "eu") is None
    assert own_write(replace(event, data=Discarded("a", "t", 0, 0, None, "w", "y")), "eu") is None


@given(st.lists(FLAGS, max_size=12))
def test_the_urgent_go_first_and_within_a_priority_the_earlier(flags):
    writes = [wrote(f"eu-1:{n}", flags=tuple(sorted(some))) for n, some in enumerate(flags, 1)]
    groups = by_urgency(writes)
    assert sorted(write.counter for group in groups for write in group) == [*range(1, len(flags) + 1)]
    for group in groups:
        assert [write.counter for write in group] == sorted(write.counter for write in group)
    urgency = [{sync_priority(write.flags) for write in group} for group in groups]
    assert all(len(one) == 1 for one in urgency)
    assert urgency == sorted(urgency, key=max, reverse=True)


def test_a_policy_states_layers_and_pins():
    assert policy_from({}) == ContextPolicy(Layers(), Residency())
    pins = [
        {"key": "patient/*", "regions": ["eu"]},
        {"layer": "cultural", "key": "k", "regions": ["eu", "us"]},
    ]
    found = policy_from({"layers": {"situational": {"sync_seconds": 1}}, "pins": pins})
    assert found.layers.situational.sync_seconds == 1
    assert found.residency == Residency((Pin(("eu",), key="patient/*"), Pin(("eu", "us"), "cultural", "k")))


@pytest.mark.parametrize(
    ("stated", "problem"),
    [
        ([], "^is no table of layers, pins, texts$"),
        ({"pin": []}, "^pin: is no part of the policy, which has layers, pins, texts$"),
        ({"layers": []}, "^layers: is no table"),
        ({"layers": {"cultural": {"rule": "x"}}}, "^layers.cultural.rule: Unknown resolution strategy"),
        ({"texts": "yjs"}, "^texts: is none of pycrdt; leave it out"),
        ({"pins": {}}, "^pins: is no list$"),
        ({"pins": [5]}, r"^pins\[0\]: is no table of regions, layer, key$"),
        ({"pins": [{"key": "k", "regions": ["eu"]}, {"where": 1}]}, r"^pins\[1\].where: is no part of a pin"),
        ({"pins": [{"layer": "social", "regions": ["eu"]}]}, r"^pins\[0\].layer: is none of immediate"),
        ({"pins": [{"layer": [], "regions": ["eu"]}]}, r"^pins\[0\].layer: is none of"),
        ({"pins": [{"key": "", "regions": ["eu"]}]}, r"^pins\[0\].key: is no key"),
        ({"pins": [{"key": 5, "regions": ["eu"]}]}, r"^pins\[0\].key: is no key"),
        ({"pins": [{"key": "k"}]}, r"^pins\[0\].regions: is no list of regions$"),
        ({"pins": [{"key": "k", "regions": "eu"}]}, r"^pins\[0\].regions: is no list of regions$"),
        ({"pins": [{"key": "k", "regions": [5]}]}, r"^pins\[0\].regions: is no list of regions$"),
        ({"pins": [{"key": "k", "regions": ["EU"]}]}, r"^pins\[0\].regions: 'EU' is not 1 to 40"),
        ({"pins": [{"key": "k", "regions": []}]}, r"^pins\[0\].regions: names none"),
        ({"pins": [{"regions": ["eu"]}]}, r"^pins\[0\].key: neither key nor layer"),
    ],
)
def test_a_policy_that_makes_no_sense_is_refused_by_name(stated, problem):
    with pytest.raises(Refusal, match=problem) as refused:
        policy_from(stated)
    assert "\n" not in str(refused.value)
