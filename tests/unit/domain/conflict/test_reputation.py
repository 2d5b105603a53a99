"""Only a final outcome moves a standing, and only by what a voter could have chosen."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from domain.conflict.events import LevelBegun, PanelHeard, Vote
from domain.conflict.reputation import moved, scores
from domain.consensus.events import Score
from domain.consensus.reputation import EQUIVOCATION, Evidence, contribution, evidence
from tests.unit.domain.conflict.given import CASE, LATE

AT = datetime(2026, 3, 1, tzinfo=UTC)
GROWN = CASE.case.__class__(
    **{name: getattr(CASE.case, name) for name in CASE.case.__slots__}
    | {"positions": (*CASE.positions, LATE)}
)
BEGUN = (LevelBegun(2, 2), LevelBegun(3, 3))


def heard(level, *votes):
    return PanelHeard(level, "consensus/x", None, len(votes), "", votes, "id")


VOTES = (
    heard(2, Vote("a", "p1", 0.9), Vote("b", "p2"), Vote("c", None), Vote("d", None, equivocated=True)),
    heard(3, Vote("e", "p3", 0.6), Vote("f", "p1")),
)


def test_every_voter_of_every_level_stands_against_the_final_outcome():
    assert scores(BEGUN, VOTES, GROWN, "p1") == (
        Score("a", right=True, confidence=0.9),
        Score("b", right=False),
        Score("d", right=False, equivocated=True),
        Score("e", right=False, confidence=0.6),
        Score("f", right=True),
    )


def test_nobody_is_scored_on_an_outcome_that_was_not_on_the_ballot():
    assert scores(BEGUN, VOTES, GROWN, "p3") == (
        Score("d", right=False, equivocated=True),
        Score("e", right=True, confidence=0.6),
        Score("f", right=False),
    )


def test_without_a_chosen_position_only_equivocation_counts():
    assert scores(BEGUN, VOTES, GROWN, None) == (Score("d", right=False, equivocated=True),)
    assert scores((), VOTES, GROWN, "p1") == (Score("d", right=False, equivocated=True),)


def test_what_is_moved_are_the_sums_of_consensus():
    found = scores(BEGUN, VOTES, GROWN, "p1")
    sums = moved(found, AT)
    assert set(sums) == {"a", "b", "d", "e", "f"}
    assert sums["a"] == evidence(Score("a", right=True, confidence=0.9), AT)
    assert sums["b"] == Evidence(wrong=contribution(AT))
    assert sums["d"].wrong == EQUIVOCATION * contribution(AT)


@given(st.lists(st.builds(Score, st.sampled_from("ab"), st.booleans()), max_size=6))
def test_sums_add_up_over_scores(found):
    total = sum((one for one in moved(found, AT).values()), Evidence())
    assert total == sum((evidence(score, AT) for score in found), Evidence())
