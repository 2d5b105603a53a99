"""A decision taken again where a voter had two words in one round."""

from domain.consensus.policy import Policy
from domain.consensus.whatif import retake
from tests.unit.consensus.given import Sitting


def test_an_equivocator_s_ballots_count_for_nothing_under_another_policy_either():
    sitting = Sitting.of("ann", "bob", "cem", "dee", threshold=0.75, max_rounds=1)
    sitting.cast("dee", "no")
    sitting.round(ann="yes", bob="yes", cem="no", dee="yes")
    sitting.conclude()
    assert sitting.state.last_round.equivocators == ("dee",)
    assert sitting.state.decided.consensus is None
    again = retake(sitting.state, Policy(threshold=0.66))
    assert (again.retaken, again.differs) == ("yes", True)
    assert retake(sitting.state, Policy(threshold=0.67)).retaken is None
