"""A ruling below level 4 stands unless a party appeals in time; all else is refused in one line."""

from datetime import timedelta

import pytest

from domain.conflict.appeals import AppealedAlready, NotAParty, NothingToAppeal, SatInTheCase, TooLate
from domain.conflict.case import Position
from domain.conflict.events import Appealed, Escalated, Resolved
from tests.unit.domain.conflict.given import AT, Trial

WINDOWS = {"local_appeal_seconds": 10.0, "regional_appeal_seconds": 20.0, "global_appeal_seconds": 30.0}


def ruled(level=2, **policy):
    trial = Trial.of(level=level, policy={**WINDOWS, **policy})
    trial.decide("p1")
    return trial


def refused(trial, refusal, says, party="bob"):
    before = trial.state
    assert trial.appeal(party) == []
    assert trial.state == before
    assert type(trial.refusals[-1]) is refusal
    assert str(trial.refusals[-1]) == says


def test_an_appeal_takes_the_case_to_the_next_level_with_its_grounds():
    trial = ruled()
    assert trial.appeal("bob", "it overlooks the log") == [Appealed(2, "bob", "it overlooks the log")]
    assert trial.settle() == [Escalated(2, "appeal", "bob: it overlooks the log")]
    assert (trial.state.level, trial.state.phase) == (3, "to_begin")


@pytest.mark.parametrize(("level", "seconds"), [(1, 10), (2, 20), (3, 30)])
def test_each_level_has_its_own_window_and_its_end_is_too_late(level, seconds):
    early = ruled(level).later(seconds - 0.001)
    assert early.settle() == []
    assert early.appeal("bob")
    late = ruled(level).later(seconds)
    closed = (AT + timedelta(seconds=seconds)).isoformat()
    refused(late, TooLate, f"party: the window of level {level} closed at {closed}")
    assert isinstance(late.settle()[0], Resolved)
    refused(late, TooLate, f"party: the window of level {level} closed at {closed}")


def test_a_window_of_nothing_lets_the_ruling_stand_at_once():
    trial = ruled(regional_appeal_seconds=0.0)
    refused(trial, TooLate, f"party: the window of level 2 closed at {AT.isoformat()}")
    assert isinstance(trial.settle()[0], Resolved)


def test_a_stranger_is_refused():
    refused(ruled(), NotAParty, "party: mallory is no party to case c1", "mallory")


def test_a_second_appeal_of_one_party_is_refused():
    trial = ruled()
    trial.appeal("bob")
    refused(trial, AppealedAlready, "party: bob has appealed 1 of 1 times in this case")
    trial.settle()
    trial.decide("p2")
    refused(trial, AppealedAlready, "party: bob has appealed 1 of 1 times in this case")
    assert trial.appeal("ann"), "the other party has its own"


def test_two_parties_cannot_appeal_one_ruling():
    trial = ruled()
    trial.appeal("bob")
    refused(trial, NothingToAppeal, "level: level 2 has not ruled yet; there is nothing to appeal", "ann")


def test_before_a_ruling_there_is_nothing_to_appeal():
    trial = Trial.of(level=2)
    refused(trial, NothingToAppeal, "level: level 2 has not ruled yet; there is nothing to appeal")


def test_level_4_is_final():
    trial = ruled(4)
    refused(trial, NothingToAppeal, "level: level 4 is final; only annulment may be asked of its ruling")


def test_where_nobody_is_left_who_may_appeal_nobody_is_waited_for():
    trial = ruled(1, appeals_each=0)
    assert trial.state.window_end() == AT
    assert isinstance(trial.settle()[0], Resolved)
    both = ruled(1)
    for party, choice in (("bob", "p1"), ("ann", "p2")):
        both.appeal(party)
        both.settle()
        both.decide(choice)
    assert both.state.may_appeal() == ()
    assert both.settle()[0].level_used == 3


def test_a_party_may_be_given_more_appeals():
    trial = ruled(1, appeals_each=2)
    trial.appeal("bob")
    trial.settle()
    trial.decide("p1")
    assert trial.appeal("bob")


def test_a_member_who_became_a_party_does_not_appeal_what_it_took_part_in():
    trial = ruled()
    sat = trial.state.sitting.panel[0].voter
    trial.grow(Position("p7", sat, "my own"))
    refused(trial, SatInTheCase, f"party: {sat} sat in this case and cannot attack what it took part in", sat)
