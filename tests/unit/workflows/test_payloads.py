"""One strict way in: what is refused, by which field, and that it is never retried."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from temporalio.api.common.v1 import Payload
from temporalio.exceptions import ApplicationError

from activities.append import StreamAppend
from domain.consensus.commands import CastBallot, OpenDeliberation
from domain.consensus.policy import Policy
from domain.refusal import Refusal
from domain.strict_json import CONTROL
from workflows.payloads import CONVERTER, MAX_INPUT_BYTES, Payloads, read_input

GOOD = {
    "id": "q",
    "question": "Which?",
    "options": ["a", "b"],
    "voters": [{"id": "v", "ballots": [{"choice": "a", "confidence": 1}]}],
    "policy": {"threshold": 1},
}
WRONG = {
    "a text for a number": ({"policy": {"threshold": "0.75"}}, "policy.threshold: must be a number"),
    "a truth for a number": ({"policy": {"threshold": True}}, "policy.threshold: must be a number"),
    "a number for a text": ({"question": 1}, "question: must be text"),
    "a text for a list": ({"options": "ab"}, "options: must be a list"),
    "a number in a list of texts": ({"options": ["a", 2]}, "options[1]: must be text"),
    "a fraction": ({"policy": {"seed": 1.5}}, "policy.seed: must be a whole number"),
    "out of range": ({"policy": {"threshold": 1.01}}, "policy.threshold: 1.01 is outside above 0 to 1"),
    "none of the choices": (
        {"policy": {"otherwise": "shrug"}},
        "policy.otherwise: must be 'mediate', 'person' or 'unresolved'",
    ),
    "misspelt": (
        {"policy": {"treshold": 1}},
        "policy.treshold: is not a field here; did you mean threshold?",
    ),
    "a list for an object": ({"policy": []}, "policy: must be an object"),
    "a null": ({"question": None}, "question: must be text"),
    "deep inside": (
        {"voters": [{"id": "v", "ballots": [{"choice": "a", "confidence": 7}]}]},
        "voters[0].ballots[0].confidence: 7.0 is outside 0 to 1",
    ),
    "two faults": (
        {"question": 1, "voters": [{"id": "v", "weigth": 1}]},
        "question: must be text; voters[0].weigth: is not a field here; did you mean weight?",
    ),
}
TEXTS = {
    "nothing": (b"", "input: is not JSON"),
    "two values": (b"{}{}", "input: is not JSON"),
    "a key twice": (b'{"id": "a", "id": "b"}', "input: holds the field 'id' twice"),
    "not a number": (b'{"policy": {"threshold": NaN}}', "input: holds NaN"),
    "infinity": (b'{"policy": {"threshold": 1e999}}', "input: holds 1e999"),
    "deep": (b"[" * 10_000 + b"]" * 10_000, "input: is nested deeper than 64"),
    "NUL": (b'{"id": "a\\u0000"}', "input.id: holds a NUL character"),
    "half a character": (b'{"id": "\\ud800"}', "input.id: holds a lone surrogate"),
    "not UTF-8": (b'{"id": "\xff"}', "input: is not UTF-8"),
    "5 MB": (json.dumps({**GOOD, "question": "q" * 5_000_000}).encode(), "input: 5000"),
    "null": (b"null", "input: must be an object"),
    "a list": (b"[]", "input: must be an object"),
}


def payload(data: bytes, encoding: str = "json/plain") -> Payload:
    return Payload(metadata={"encoding": encoding.encode()}, data=data)


def test_lists_stand_for_tuples_and_whole_numbers_for_floats():
    request = read_input(OpenDeliberation, json.dumps(GOOD))
    assert request.options == ("a", "b")
    assert (request.policy.threshold, request.voters[0].ballots[0].confidence) == (1.0, 1.0)
    assert isinstance(request.policy.threshold, float)


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_field_is_named_with_what_would_be_right(name):
    change, line = WRONG[name]
    with pytest.raises(Refusal) as refused:
        read_input(OpenDeliberation, json.dumps({**GOOD, **change}))
    assert str(refused.value) == line


@pytest.mark.parametrize("name", TEXTS)
def test_text_that_is_not_strict_json_is_refused(name):
    raw, line = TEXTS[name]
    with pytest.raises(Refusal) as refused:
        read_input(OpenDeliberation, raw)
    assert str(refused.value).startswith(line)
    assert len(str(refused.value)) < 200


@pytest.mark.parametrize("name", [*WRONG, *TEXTS])
def test_a_payload_is_refused_as_a_file_is_and_never_retried(name):
    raw = TEXTS[name][0] if name in TEXTS else json.dumps({**GOOD, **WRONG[name][0]}).encode()
    with pytest.raises(Refusal) as by_file:
        read_input(OpenDeliberation, raw)
    with pytest.raises(ApplicationError) as by_payload:
        Payloads().from_payloads([payload(raw)], [OpenDeliberation])
    assert by_payload.value.message == str(by_file.value)
    assert by_payload.value.non_retryable
    assert by_payload.value.type == "PayloadValidationError"


def test_every_fault_is_in_the_details_and_the_line_stays_short():
    raw = json.dumps({**GOOD, "voters": [{"id": 1}] * 50}).encode()
    with pytest.raises(ApplicationError) as refused:
        Payloads().from_payloads([payload(raw)], [OpenDeliberation])
    (details,) = refused.value.details
    assert len(details) == 50
    assert details[49] == {"field": "voters[49].id", "problem": "must be text"}
    assert refused.value.message.endswith("and 47 more")


def test_a_control_character_in_a_field_name_is_escaped():
    with pytest.raises(Refusal) as refused:
        read_input(OpenDeliberation, json.dumps({**GOOD, "\x1b[31mred": 1}))
    assert "\x1b" not in str(refused.value)
    assert "\\x1b[31mred: is not a field here" in str(refused.value)


@pytest.mark.parametrize(
    ("encoding", "line"),
    [
        ("binary/null", "input: must be a JSON object, not binary/null"),
        ("binary/plain", "input: must be a JSON object, not binary/plain"),
        ("json/protobuf", "input: must be a JSON object, not json/protobuf"),
        ("", "input: must be a JSON object, not untyped"),
    ],
)
def test_another_encoding_than_json_is_refused_for_an_input(encoding, line):
    with pytest.raises(ApplicationError) as refused:
        Payloads().from_payloads([payload(b"{}", encoding)], [OpenDeliberation])
    assert refused.value.message == line


def test_an_unreadable_encoding_is_refused_everywhere():
    with pytest.raises(ApplicationError, match="has the unreadable encoding 'mystery'"):
        Payloads().from_payloads([payload(b"{}", "mystery")], None)


def test_nothing_still_travels_where_nothing_is_meant():
    assert Payloads().from_payloads(Payloads().to_payloads([None, b"raw"]), None) == [None, b"raw"]


def test_an_input_may_be_256_kib_and_an_append_larger():
    fits = {**GOOD, "evidence": ["e" * 1000] * 150}
    read_input(OpenDeliberation, json.dumps(fits))
    raw = json.dumps({**GOOD, "question": "q" * MAX_INPUT_BYTES}).encode()
    with pytest.raises(Refusal, match="at most 262144"):
        read_input(OpenDeliberation, raw)
    append = (
        b'{"topic":"t","stream":"s","source":"x","workflow_id":"w","run_id":"","entries":[],"region":"%b"}'
    )
    (got,) = Payloads().from_payloads([payload(append % (b"r" * 300_000))], [StreamAppend])
    assert len(got.region) == 300_000


@given(
    st.builds(
        Policy,
        threshold=st.floats(0.01, 1),
        quorum=st.floats(0, 1),
        max_rounds=st.integers(1, 20),
        round_seconds=st.floats(0.001, 1e6),
        otherwise=st.sampled_from(["mediate", "person", "unresolved"]),
    )
)
def test_what_we_write_we_read_again(policy):
    assert Payloads().from_payloads(Payloads().to_payloads([policy]), [Policy]) == [policy]


@given(st.text(), st.none() | st.floats(0, 1))
def test_a_ballot_with_any_text_is_read_as_written_or_refused(choice, confidence):
    raw = json.dumps({"voter": "v", "choice": choice, "confidence": confidence})
    try:
        ballot = read_input(CastBallot, raw)
    except Refusal:
        assert not choice.strip() or CONTROL.search(choice)
    else:
        assert (ballot.choice, ballot.confidence) == (choice, confidence)


def test_the_converter_is_the_one_for_clients_and_workers():
    assert CONVERTER.payload_converter_class is Payloads
