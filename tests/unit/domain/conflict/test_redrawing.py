"""What chooses a panel is on the log, so a panel that was chosen otherwise is named."""

from dataclasses import replace

import pytest

from domain.conflict.events import Candidates, Member
from domain.conflict.panels import candidates, members_of
from domain.conflict.replay import replay
from domain.consensus.commands import Voter
from tests.unit.domain.conflict.given import Trial, crowd

ANOTHER = "panel: another is drawn from the members of the opening"


def at_level(number, **changes):
    trial = Trial.of(level=number, **changes)
    trial.begin()
    return trial.log


def with_data(log, index, **fields):
    log = list(log)
    log[index] = replace(log[index], data=replace(log[index].data, **fields))
    return log


def problem(log):
    _, divergence = replay(log)
    return divergence and divergence.problem


def swapped(panel):
    """One seat is given to a member of the same region who was not drawn."""
    seated = {seat.voter for seat in panel}
    stranger = next(one.id for one in crowd() if one.id not in seated and one.region == panel[0].region)
    return (Member(stranger, panel[0].region), *panel[1:])


@pytest.mark.parametrize("number", [2, 3, 4])
def test_a_seat_that_was_given_to_another_is_named(number):
    log = at_level(number)
    assert problem(log) is None
    forged = with_data(log, 1, panel=swapped(log[1].data.panel))
    assert problem(forged) == ANOTHER


def test_another_number_of_candidates_is_named():
    log = at_level(2)
    assert problem(with_data(log, 1, candidates=log[1].data.candidates + 1)) == ANOTHER


def test_a_level_that_was_passed_although_enough_may_sit_is_named():
    log = at_level(2, members=())
    assert problem(log) is None
    roll = candidates(crowd(), "general")
    assert problem(with_data(log, 0, members=roll)) == ANOTHER


def test_three_who_were_not_drawn_for_an_annulment_are_named():
    trial = Trial.of(level=4)
    trial.decide("p1")
    trial.annul("bob")
    assert problem(trial.log) is None
    asked = trial.log[-1].data
    seated = trial.state.sat
    free = [Member(one.id, one.region) for one in crowd() if one.id not in seated]
    forged = with_data(trial.log, -1, panel=(free[0], *asked.panel[1:]))
    assert problem(forged) == ANOTHER


def test_of_a_case_whose_members_were_not_recorded_no_draw_is_repeated():
    log = with_data(at_level(2), 0, members=None)
    assert problem(with_data(log, 1, panel=swapped(log[1].data.panel))) is None


def test_the_members_keep_all_that_a_draw_asks_of_them_and_no_ballot():
    known = Voter("r1", "reasoner", "eu", ("general",), node="n1")
    roll = candidates((*crowd(2), known), "general")
    assert roll == (
        Candidates(("m00",), "eu"),
        Candidates(("m01",), "us"),
        Candidates(("r1",), "eu", "n1", expert=True),
    )
    assert members_of(roll, "general") == [Voter("m00", region="eu"), Voter("m01", region="us"), known]
