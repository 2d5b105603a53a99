"""Every bad input is refused by the field that is wrong, in one line, before anything is decided."""

import json
import math
from dataclasses import replace

import pytest

from domain.causality.causal_context import Dot
from domain.conflict.case import ContextKey, Evidence, Position
from domain.conflict.commands import Appeal, AskAnnulment, GiveVerdict, OpenCase
from domain.conflict.levels import UnknownLevel
from domain.conflict.policy import ConflictPolicy
from domain.consensus.commands import Voter
from domain.context.commands import MAX_KEY
from domain.refusal import Refusal
from tests.unit.domain.conflict.given import CASE, KEY, PIECES, POSITIONS
from workflows.payloads import read_input

ONE, TWO = POSITIONS
POLICY = ConflictPolicy()
APPEAL = Appeal("ann", "it overlooks the log")
VERDICT = GiveVerdict("p1", "on reflection", "Pat")
ANNULMENT = AskAnnulment("ann", "no_reasons", "it says nothing")


def refused(command, field, **changes):
    with pytest.raises(Refusal) as caught:
        replace(command, **changes)
    assert caught.value.field == field
    assert len(str(caught.value)) < 300
    assert str(caught.value).isprintable()


def many(count):
    return tuple(Position(f"p{number}", "ann", "beds") for number in range(count))


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("id", {"id": ""}),
        ("id", {"id": "a.b"}),
        ("id", {"id": "x" * 101}),
        ("severity", {"severity": -0.01}),
        ("severity", {"severity": 1.01}),
        ("severity", {"severity": math.nan}),
        ("question", {"question": " "}),
        ("question", {"question": "x" * 1_601}),
        ("topic", {"topic": "\x07"}),
        ("regions", {"regions": ()}),
        ("regions", {"regions": ("eu", "eu")}),
        ("regions[1]", {"regions": ("eu", "")}),
        ("regions", {"regions": tuple(map(str, range(51)))}),
        ("positions", {"positions": (ONE,)}),
        ("positions", {"positions": many(41)}),
        ("positions", {"positions": (ONE, replace(TWO, id="p1"))}),
        ("positions", {"positions": (ONE, replace(TWO, dot=ONE.dot))}),
        ("positions[1].id", {"positions": (ONE, replace(TWO, id="a/b"))}),
        ("positions[0].party", {"positions": (replace(ONE, party=""), TWO)}),
        ("positions[0].claim", {"positions": (replace(ONE, claim="\x1b[2J"), TWO)}),
        ("positions[0].claim", {"positions": (replace(ONE, claim="x" * 1_601), TWO)}),
        ("positions[0].region", {"positions": (replace(ONE, region=" "), TWO)}),
        ("positions[1].evidence", {"positions": (ONE, replace(TWO, evidence=("e1", "e1")))}),
        ("positions[1].evidence", {"positions": (ONE, replace(TWO, evidence=("e9",)))}),
        ("positions[0].dot.node", {"positions": (replace(ONE, dot=Dot("", 1)), TWO)}),
        ("positions[0].dot.node", {"positions": (replace(ONE, dot=Dot("a:1,b", 1)), TWO)}),
        ("positions[0].dot.counter", {"positions": (replace(ONE, dot=Dot("w", 0)), TWO)}),
        ("positions[0].dot.counter", {"positions": (replace(ONE, dot=Dot("w", 2**63)), TWO)}),
        ("positions", {"positions": tuple(replace(one, claim="é" * 1_600) for one in many(40))}),
        ("evidence", {"evidence": (*PIECES, PIECES[0])}),
        ("evidence", {"evidence": tuple(Evidence(f"x{number}", "t") for number in range(101))}),
        ("evidence[2].id", {"evidence": (*PIECES, Evidence("", "t"))}),
        ("evidence[2].text", {"evidence": (*PIECES, Evidence("e3", ""))}),
        ("others", {"others": ("zoe",) * 101}),
        ("others[0]", {"others": ("a b",)}),
        ("context.key", {"context": replace(KEY, key="")}),
        ("context.region", {"context": replace(KEY, region="x" * 65)}),
        ("context.layer", {"layer": "cultural"}),
        ("members", {"members": (Voter("m"), Voter("m"))}),
        ("members", {"members": tuple(Voter(f"m{number}") for number in range(5_001))}),
        ("level", {"critical": True, "level": 3}),
        ("", {"level": 7}),
    ],
)
def test_a_case_that_cannot_be_is_refused_by_its_field(field, changes):
    refused(CASE, field, **changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "x" * 100},
        {"severity": 0},
        {"severity": 1},
        {"positions": many(40)},
        {"positions": (replace(ONE, dot=None, region=None), replace(TWO, dot=None))},
        {"evidence": (*PIECES, *(Evidence(f"x{number}", "t") for number in range(98)))},
        {"context": None, "layer": "historical"},
        {"context": ContextKey("situational", "k" * MAX_KEY, "eu")},
        {"others": ("zoe",) * 100},
        {"level": 1},
    ],
)
def test_a_case_at_its_limits_is_taken(changes):
    assert replace(CASE, **changes).case.id


@pytest.mark.parametrize(
    ("command", "field", "changes"),
    [
        (APPEAL, "party", {"party": "a b"}),
        (APPEAL, "grounds", {"grounds": ""}),
        (APPEAL, "grounds", {"grounds": "x" * 2_001}),
        (VERDICT, "verdict", {"verdict": " "}),
        (VERDICT, "reason", {"reason": ""}),
        (VERDICT, "person", {"person": "x" * 201}),
        (ANNULMENT, "party", {"party": ""}),
        (ANNULMENT, "statement", {"statement": "x" * 1_601}),
        (POLICY, "local_appeal_seconds", {"local_appeal_seconds": -1}),
        (POLICY, "annulment_seconds", {"annulment_seconds": math.inf}),
        (POLICY, "appeals_each", {"appeals_each": 4}),
        (POLICY, "threshold", {"threshold": 0.0}),
        (POLICY, "quorum", {"quorum": math.nan}),
        (POLICY, "mediator_confidence", {"mediator_confidence": 1.1}),
        (POLICY, "reminder_seconds", {"reminder_seconds": 0.5}),
        (POLICY, "person_seconds", {"person_seconds": 0}),
        (POLICY, "seed", {"seed": -1}),
        (POLICY, "weighting", {"weighting": "posterior"}),
    ],
)
def test_a_command_that_cannot_be_is_refused_by_its_field(command, field, changes):
    refused(command, field, **changes)


def test_a_policy_at_its_limits_is_taken():
    replace(POLICY, appeals_each=3, local_appeal_seconds=0, threshold=1.0, weighting="equal")


SMALL = {
    "id": "c1",
    "regions": ["eu"],
    "positions": [{"id": "p1", "party": "ann", "claim": "9"}, {"id": "p2", "party": "bob", "claim": "7"}],
}


def test_a_case_is_one_json_object_with_a_default_for_all_that_can_have_one():
    case = read_input(OpenCase, json.dumps(SMALL))
    assert (case.kind, case.layer, case.severity, case.critical) == (
        "concurrent_write",
        "situational",
        0.5,
        False,
    )
    assert case.case.parties == ("ann", "bob")
    assert case.case.dots(2) == ()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (json.dumps({**SMALL, "severity": "0.5"}), "severity"),
        (json.dumps({**SMALL, "kind": "brawl"}), "kind"),
        (json.dumps({**SMALL, "winner": "p1"}), "winner"),
        (json.dumps({**SMALL, "positions": [{"id": "p1", "party": "ann"}]}), "positions.*claim"),
        (json.dumps({**SMALL, "policy": {"threshold": 2}}), "threshold: 2.0 is outside above 0 to 1"),
        ('{"id": "c1", "id": "c2"}', "holds the field 'id' twice"),
        ("[]", "."),
        ("nonsense", "is not JSON"),
    ],
)
def test_untrusted_text_is_refused_in_one_line(text, says):
    with pytest.raises(Refusal, match=says) as caught:
        read_input(OpenCase, text)
    assert "\n" not in str(caught.value)


def test_an_unknown_level_is_refused_in_the_words_of_the_levels():
    with pytest.raises(UnknownLevel, match=r"^Unknown resolution level: 9$"):
        replace(CASE, level=9)


def test_a_node_is_named_as_a_task_queue_can_be():
    assert replace(CASE, node="eu-1").node == "eu-1"
    with pytest.raises(Refusal, match=r"^node: 'eu/1' is not 1 to 128 letters"):
        replace(CASE, node="eu/1")
