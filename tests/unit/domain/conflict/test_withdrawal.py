"""A case that is taken back ends on its log, wherever it stood; a ruling that stands is left to stand."""

from dataclasses import replace

import pytest

from domain.conflict.events import Resolved, Withdrawn
from domain.conflict.result import result_of
from domain.conflict.state import NO_CASE
from domain.conflict.withdrawal import withdraw
from domain.refusal import ImpossibleEvent, Refusal
from tests.unit.domain.conflict.given import AT, Trial, refold


def test_what_waits_for_somebody_is_withdrawn_once_with_its_reason_and_level():
    trial = Trial.of()
    trial.begin()
    assert trial.withdraw("no longer needed\x1b[2J") == [Withdrawn("temporal", "no longer needed\\x1b[2J", 2)]
    assert (trial.state.status, trial.state.phase) == ("withdrawn", "closed")
    assert trial.withdraw("again") == []
    assert trial.appeal("bob") == []
    with pytest.raises(Refusal, match="c1 was withdrawn"):
        result_of(trial.state)


def test_a_ruling_that_is_open_to_appeal_falls_with_its_case():
    trial = Trial.of()
    trial.decide("p1")
    assert trial.withdraw() == [Withdrawn("temporal", "", 2)]


def test_a_ruling_that_can_be_attacked_no_more_is_the_outcome():
    trial = Trial.of()
    trial.decide("p1")
    trial.now = trial.state.window_end()
    assert trial.withdraw() == []
    assert isinstance(trial.settle()[0], Resolved)


def test_what_was_never_opened_is_not_withdrawn():
    assert withdraw(NO_CASE, "why", AT) == []


@pytest.mark.parametrize("late", [False, True])
def test_a_withdrawal_of_another_level_or_after_the_window_could_not_have_happened(late):
    trial = Trial.of()
    trial.decide("p1")
    if late:
        trial.now = trial.state.window_end()
    with pytest.raises(ImpossibleEvent):
        trial.write([Withdrawn("temporal", "", 2 if late else 3)])


def test_nothing_follows_a_withdrawal():
    trial = Trial.of()
    trial.withdraw()
    again = replace(trial.log[-1], version=3)
    with pytest.raises(ImpossibleEvent):
        refold([*trial.log, again])


def test_a_case_says_in_one_word_what_it_waits_for_or_how_it_ended():
    trial = Trial.of()
    assert trial.state.status == "to_begin"
    trial.decide("p1")
    assert trial.state.status == "appealable"
    trial.end()
    assert trial.state.status == "resolved"
    nobody = Trial.of(())
    for _ in range(3):
        nobody.decide("p1")
    assert nobody.state.status == "unresolved"
