"""A panel whose id somebody else took decides under one that nobody could have taken before."""

import pytest

from domain.conflict.deliberations import level_question, move
from domain.conflict.events import DeliberationMoved
from domain.conflict.state import NO_CASE
from domain.refusal import ImpossibleEvent, Refusal
from tests.unit.domain.conflict.given import Trial, refold

PART = "0123456789ab"


def sitting():
    trial = Trial.of()
    trial.begin()
    return trial


def test_a_panel_moves_once_and_is_asked_and_heard_where_it_went():
    trial = sitting()
    there = f"consensus/c1-level-2-{PART}"
    assert trial.move() == [DeliberationMoved("consensus/c1-level-2", there)]
    assert trial.move("ba9876543210") == []
    assert f"consensus/{level_question(trial.state, trial.members).id}" == there
    (heard,) = trial.deliberate()
    assert heard.deliberation == there
    assert refold(trial.log) == trial.state


def test_the_three_of_an_annulment_move_too():
    trial = Trial.of(level=4)
    trial.decide("p1")
    trial.annul("bob")
    (moved,) = trial.move()
    assert moved.was == "consensus/c1-annulment-1"
    (decided,) = trial.deliberate(**trial.everyone("annul"))
    assert decided.deliberation == moved.deliberation


def test_nobody_moves_where_no_panel_sits():
    with pytest.raises(Refusal, match="no panel sits"):
        move(NO_CASE, PART)


@pytest.mark.parametrize(
    ("was", "deliberation"),
    [
        ("consensus/c1-level-3", f"consensus/c1-level-3-{PART}"),
        ("consensus/c1-level-2", f"consensus/c2-level-2-{PART}"),
        ("consensus/c1-level-2", "consensus/c1-level-2-later"),
        ("consensus/c1-level-2", "consensus/c1-level-2"),
    ],
)
def test_a_move_to_another_case_s_deliberation_could_not_have_happened(was, deliberation):
    with pytest.raises(ImpossibleEvent):
        sitting().write([DeliberationMoved(was, deliberation)])


def test_a_second_move_could_not_have_happened():
    trial = sitting()
    (moved,) = trial.move()
    with pytest.raises(ImpossibleEvent):
        trial.write([DeliberationMoved(moved.deliberation, f"{moved.deliberation}-{PART}")])
