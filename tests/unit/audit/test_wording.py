"""What an event says in one line: its numbers must not contradict its reason."""

from dataclasses import replace
from pathlib import Path

import pytest

from audit.wording import said
from domain.consensus.events import BallotCast, Decided, RoundClosed
from domain.learning.fleet import Announced, Client, Left
from eventlog.codec import decode
from tests.unit.consensus.given import Sitting
from tests.unit.domain.context.given import wrote

GOLDEN = sorted((Path(__file__).parents[2] / "golden" / "events").glob("*.json"))


@pytest.mark.parametrize("file", GOLDEN, ids=lambda file: file.stem)
def test_every_event_says_more_than_its_type_in_one_line(file):
    data = decode(file.read_bytes().removesuffix(b"\n")).data
    assert said(data) != data.TYPE
    assert "\n" not in said(data)


@pytest.mark.parametrize("kind", [RoundClosed, Decided])
def test_two_thirds_read_the_same_in_the_number_and_in_the_reason(kind):
    sitting = Sitting.of("ann", "bob", "cem", threshold=0.6667, max_rounds=1)
    sitting.round(ann="yes", bob="yes", cem="no")
    sitting.conclude()
    data = next(event.data for event in sitting.log if isinstance(event.data, kind))
    assert "0.6666, the threshold is 0.6667" in data.reason
    assert "0.6667 " not in said(data).replace("the threshold is 0.6667", "")
    assert "0.6666" in said(data).removesuffix(data.reason)
    assert "1.0000" in said(replace(data, agreement=1.0))
    assert "0.7500" in said(replace(data, agreement=0.75))


def test_an_abstention_is_said_once():
    silent = BallotCast("plant", 1, None, reason="abstained: TimeoutError: no worker took it on")
    assert said(silent) == "round 1: plant abstains: TimeoutError: no worker took it on"
    assert said(BallotCast("ada", 1, None)) == "round 1: ada abstains"


def test_a_write_of_context_names_who_where_and_what():
    assert said(wrote("eu-1:2", {"b": 1, "a": None})) == 'ann at eu-1 in eu writes \'k\': {"a":null,"b":1}'
    assert said(wrote("case.c:1", 1, case="c")).endswith("writes 'k', as ruled in case c: 1")


def test_a_node_is_said_to_train_for_its_clients():
    clients = tuple(Client(name, (), ()) for name in "ab")
    assert said(Announced("edge-1", "eu", clients)) == "edge-1 in eu trains for a, b"
    assert said(Announced("edge-1", "eu", clients, 1, 2)) == "edge-1 in eu trains for a, b (part 1 of 2)"
    assert said(Left("edge-1", "stopped")) == "edge-1 leaves: stopped"
