"""An outcome, held against the rounds that it tells of."""

import pytest

from domain.consensus.possible import check_outcome
from domain.refusal import ImpossibleEvent
from tests.unit.consensus.given import Sitting


def decided():
    sitting = Sitting.of("ann", "bob")
    sitting.round(ann="yes", bob="yes")
    sitting.conclude()
    return sitting.state


def test_an_outcome_follows_from_its_rounds_and_from_nothing_less():
    state = decided()
    check_outcome(state.decided, state.policy, state.rounds, None, None)
    with pytest.raises(ImpossibleEvent, match=r"consensus\.decided\.v1 before the last round was closed"):
        check_outcome(state.decided, state.policy, (), None, None)
