"""Earlier versions are read as what they mean today, on the one path that every reader takes."""

import json
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.consensus.events import BallotCast
from eventlog.catalogue import BY_TYPE
from eventlog.codec import decode
from eventlog.undecodable import Undecodable
from eventlog.upcast import UPCASTERS, to_current
from tests.unit.eventlog.strategies import TEXT

GOLDEN = Path(__file__).parents[2] / "golden" / "events"


def stored_v1(**changes):
    stored = json.loads((GOLDEN / "consensus.ballot_cast.v1.json").read_bytes())
    stored["data"] |= changes
    return json.dumps(stored).encode()


def test_a_first_version_ballot_gives_its_percentage_as_a_fraction():
    event = decode(stored_v1(confidence=80, choice="one lane"))
    assert event.data == BallotCast(
        voter="ada",
        round=1,
        choice="one lane",
        confidence=0.8,
        reason="The deck is icy, the shoulder is not.",
        nonce="a7937b64b8caa58f03721bb6bacf5c78",
    )
    assert event.type == "consensus.ballot_cast.v2"


def test_a_first_version_abstention_was_the_empty_string_and_is_null():
    assert decode(stored_v1(choice="")).data.choice is None


def test_an_upcast_event_keeps_its_envelope():
    old = json.loads(stored_v1())
    event = decode(stored_v1())
    assert (event.id, event.stream, event.version) == (old["id"], old["subject"], old["streamversion"])
    assert (event.workflow_id, event.run_id, event.region) == (old["workflowid"], old["runid"], old["region"])


@given(choice=TEXT, percent=st.none() | st.integers(0, 100), reason=TEXT)
def test_every_first_version_ballot_becomes_a_second(choice, percent, reason):
    data = decode(stored_v1(choice=choice, confidence=percent, reason=reason)).data
    assert data.choice == (choice or None)
    assert data.confidence == (None if percent is None else percent / 100)
    assert data.reason == reason


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"confidence": 101}, "data.confidence is wrong: expected int <= 100"),
        ({"confidence": 0.8}, "data.confidence is wrong: expected int | null, got float"),
        ({"choice": None}, "data.choice is wrong: expected str, got null"),
        ({"round": 2**63}, "data holds a whole number of more than 64 bits, or is nested too deep"),
        ({"choice": "\0"}, "holds a NUL character, which a database cannot store"),
    ],
)
def test_a_broken_first_version_is_undecodable_as_any_other(changes, reason):
    with pytest.raises(Undecodable) as undecodable:
        decode(stored_v1(**changes))
    assert undecodable.value.reason == reason


def test_every_chain_of_upcasters_ends_in_the_catalogue():
    for stored in UPCASTERS:
        seen = {stored}
        while stored in UPCASTERS:
            stored = UPCASTERS[stored].becomes  # noqa: PLW2901 # following the chain
            assert stored not in seen
            seen.add(stored)
        assert stored in BY_TYPE


def test_no_earlier_version_is_still_in_the_catalogue():
    assert not UPCASTERS.keys() & BY_TYPE.keys()


def test_a_step_that_makes_nonsense_is_an_error_not_an_event():
    broken = UPCASTERS["consensus.ballot_cast.v1"].shape(voter=5, round=1, choice="")
    with pytest.raises(msgspec.ValidationError):
        to_current("consensus.ballot_cast.v1", broken)
