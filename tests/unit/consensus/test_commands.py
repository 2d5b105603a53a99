"""Every bad input is refused by the field that is wrong, in one line, before anything is decided."""

import math
from dataclasses import replace

import pytest

from domain.consensus.commands import CastBallot, OpenDeliberation, RecordedBallot, Rule, Voter
from domain.consensus.policy import Policy
from domain.refusal import Refusal

VOTER = Voter("ann")
REASONER = Voter("ann", kind="reasoner", node="eu-1")
QUESTION = OpenDeliberation("q", "Is it so?", ("yes", "no"), (VOTER,))
BALLOT = RecordedBallot("yes")
CAST = CastBallot("ann", "yes")
RULING = Rule("yes", "I looked", "Pat")
LONG = "x" * 5_000_000
STAKE = Policy(fault_model="stake", stake_cap=1.0)


def refused(command, field, **changes):
    with pytest.raises(Refusal) as caught:
        replace(command, **changes)
    assert caught.value.field == field
    assert len(str(caught.value)) < 300
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("id", {"id": ""}),
        ("id", {"id": "../etc"}),
        ("id", {"id": "docket.1"}),
        ("id", {"id": "x" * 129}),
        ("question", {"question": ""}),
        ("question", {"question": " \n\t"}),
        ("question", {"question": LONG}),
        ("question", {"question": "x" * 8_001}),
        ("question", {"question": "a\x1b[2Jb"}),
        ("question", {"question": "a\x9bb"}),
        ("topic", {"topic": ""}),
        ("topic", {"topic": "x" * 201}),
        ("region", {"region": ""}),
        ("region", {"region": "x" * 65}),
        ("region", {"region": "\x07"}),
        ("options", {"options": ()}),
        ("options", {"options": ("yes",)}),
        ("options", {"options": tuple(map(str, range(101)))}),
        ("options", {"options": ("yes", "no", "yes")}),
        ("options", {"options": ("yes", " yes\t")}),
        ("options[1]", {"options": ("yes", "")}),
        ("options[0]", {"options": ("x" * 1_001, "no")}),
        ("options[1]", {"options": ("yes", "n\0")}),
        ("options", {"options": tuple(f"{number}" * 500 for number in range(17, 50))}),
        ("context", {"context": ("c",) * 201}),
        ("context[0]", {"context": ("",)}),
        ("context[0]", {"context": ("x" * 2_001,)}),
        ("evidence", {"evidence": ("c",) * 201}),
        ("evidence[1]", {"evidence": ("c", " ")}),
        ("voters", {"voters": ()}),
        ("voters", {"voters": (VOTER, Voter("bob"), VOTER)}),
        ("voters", {"voters": tuple(Voter(f"v{number}") for number in range(5_001))}),
        ("voters", {"voters": (Voter("ann", weight=2.0),)}),
        ("policy.weighting", {"policy": Policy(weighting="posterior")}),
        ("policy.weighting", {"policy": Policy(weighting="calibrated")}),
    ],
)
def test_a_question_that_cannot_be_put_is_refused_by_its_field(field, changes):
    refused(QUESTION, field, **changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"question": "x" * 8_000},
        {"question": "two\nlines\tand a tab"},
        {"options": tuple(map(str, range(100)))},
        {"options": ("x" * 1_000, "no")},
        {"options": ("نعم", "لا")},
        {"topic": "x" * 200, "region": "x" * 64},
        {"context": ("c" * 2_000,) * 200, "evidence": ("e",)},
        {"voters": tuple(Voter(f"v{number}") for number in range(5_000))},
        {"voters": (Voter("ann", weight=2.0),), "policy": STAKE},
        {"policy": Policy(weighting="reputation")},
    ],
)
def test_a_question_at_its_limits_is_taken(changes):
    replace(QUESTION, **changes)


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("id", {"id": "a b"}),
        ("weight", {"weight": 0.0}),
        ("weight", {"weight": -1.0}),
        ("weight", {"weight": 1.1e9}),
        ("weight", {"weight": math.nan}),
        ("weight", {"weight": math.inf}),
        ("ballots", {"kind": "external", "ballots": (BALLOT,)}),
        ("ballots", {"kind": "reasoner", "node": "eu-1", "ballots": (BALLOT,)}),
        ("ballots", {"ballots": (BALLOT, RecordedBallot("no"))}),
        ("node", {"kind": "reasoner"}),
        ("node", {"kind": "reasoner", "node": "a/b"}),
        ("node", {"node": "eu-1"}),
        ("node", {"kind": "external", "node": "eu-1"}),
        ("region", {"region": " "}),
        ("expertise", {"expertise": ("law",) * 201}),
        ("expertise[1]", {"expertise": ("law", "")}),
        ("expertise[0]", {"expertise": ("x" * 201,)}),
    ],
)
def test_a_voter_that_cannot_be_is_refused_by_its_field(field, changes):
    refused(VOTER, field, **changes)


def test_a_voter_at_its_limits_is_taken():
    assert REASONER.node == "eu-1"
    replace(VOTER, weight=1e9, expertise=("x" * 200,) * 200, ballots=(BALLOT, RecordedBallot("no", round=20)))
    replace(VOTER, kind="external", region="eu")


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("choice", {"choice": ""}),
        ("choice", {"choice": "x" * 1_001}),
        ("choice", {"choice": "yes\x7f"}),
        ("confidence", {"confidence": 1.01}),
        ("confidence", {"confidence": -0.01}),
        ("confidence", {"confidence": math.nan}),
        ("reason", {"reason": LONG}),
        ("reason", {"reason": "x" * 2_001}),
        ("reason", {"reason": "\x1b]0;title\x07"}),
    ],
)
@pytest.mark.parametrize("command", [BALLOT, CAST])
def test_a_ballot_that_cannot_be_is_refused_by_its_field(command, field, changes):
    refused(command, field, **changes)


@pytest.mark.parametrize("command", [BALLOT, CAST])
def test_a_ballot_at_its_limits_is_taken(command):
    replace(command, choice=None, confidence=0, reason=" ")
    replace(command, choice="x" * 1_000, confidence=1, reason="r" * 2_000)


@pytest.mark.parametrize("number", [0, -1, 21])
def test_a_recorded_ballot_for_no_possible_round_is_refused(number):
    refused(BALLOT, "round", round=number)


def test_a_ballot_without_a_voter_is_refused():
    refused(CAST, "voter", voter="")


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("choice", {"choice": " "}),
        ("choice", {"choice": "x" * 1_001}),
        ("reason", {"reason": ""}),
        ("reason", {"reason": "x" * 2_001}),
        ("person", {"person": ""}),
        ("person", {"person": "x" * 201}),
        ("person", {"person": "\r\x08"}),
    ],
)
def test_a_ruling_without_its_parts_is_refused_by_its_field(field, changes):
    refused(RULING, field, **changes)
