"""A policy that was read before is the same object again; one that cannot stand is refused each time."""

import json
from dataclasses import MISSING, fields, replace

import msgspec
import pytest

from domain.consensus.events import DocketOpened, Opened, Proposal, Seat
from domain.consensus.policy import Policy
from eventlog.catalogue import EVENTS
from eventlog.codec import decode, encode
from eventlog.shared_policy import UNREAD
from eventlog.undecodable import Undecodable
from tests.unit.eventlog.examples import ballot

OPENED = Opened(Proposal("42", "Is it safe?", ("yes", "no")), Policy(seed=7), (Seat("ada"),), 1)
STORED = encode(replace(ballot(), data=OPENED))


def with_policy(**changes):
    event = json.loads(STORED)
    event["data"]["policy"] |= changes
    return json.dumps(event).encode()


def test_events_with_the_same_policy_share_it():
    other = encode(replace(ballot("consensus/43"), data=replace(OPENED, candidates=5)))
    assert decode(STORED).data.policy is decode(other).data.policy
    assert decode(with_policy(seed=8)).data.policy == Policy(seed=8)


def test_every_event_that_carries_a_policy_of_consensus_is_read_so():
    carrying = {event for event in EVENTS if any(field.type is Policy for field in fields(event))}
    assert set(UNREAD) == carrying
    assert {Opened, DocketOpened} <= carrying


@pytest.mark.parametrize("event", UNREAD)
def test_a_struct_to_read_has_the_fields_and_defaults_of_its_event(event):
    found = [(field.name, field.default) for field in msgspec.structs.fields(UNREAD[event])]
    missing = {MISSING: msgspec.NODEFAULT}
    assert found == [(field.name, missing.get(field.default, field.default)) for field in fields(event)]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"threshold": 0}, "data.policy.threshold has a value that is not allowed"),
        ({"threshold": "SECRET"}, "data.policy.threshold is wrong: expected float, got str"),
        ({"weighting": "SECRET"}, "data.policy.weighting is none of the allowed values"),
        ({"seed": 2**63}, "data.policy.seed has a value that is not allowed"),
        ({"max_rounds": 2**200}, "data.policy.max_rounds has a value that is not allowed"),
        ({"faults": -(2**63) - 1}, "data.policy.faults has a value that is not allowed"),
        ({"panel_size": 2**64}, "data.policy.panel_size has a value that is not allowed"),
    ],
)
def test_a_policy_that_cannot_stand_is_refused_each_time_it_is_read(changes, reason):
    for _ in range(2):
        with pytest.raises(Undecodable) as undecodable:
            decode(with_policy(**changes))
        assert undecodable.value.reason == reason


def test_an_escape_within_a_policy_that_is_no_text_is_refused():
    value = STORED.replace(b'"equal"', b'"\\ud800"')
    with pytest.raises(Undecodable, match=r"is not JSON: unexpected end of hex escape \(byte \d+\)"):
        decode(value)


def test_a_policy_that_is_as_long_as_an_event_may_be_is_read_too():
    assert decode(with_policy(added_later="x" * 200_000)).data == OPENED


def test_a_whole_number_in_a_policy_of_fractions_is_stored_as_a_fraction():
    value = encode(replace(ballot(), data=replace(OPENED, policy=Policy(threshold=1))))
    assert b'"threshold":1.0' in value
    assert encode(decode(value)) == value
