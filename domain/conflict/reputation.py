"""What a final outcome says of everyone who voted on the way to it; nothing else moves a standing."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from domain.conflict.case import Case
from domain.conflict.events import LevelBegun, PanelHeard, Vote
from domain.consensus.events import Score
from domain.consensus.reputation import Evidence, evidence


def scores(
    begun: Sequence[LevelBegun], heard: Sequence[PanelHeard], case: Case, outcome: str | None
) -> tuple[Score, ...]:
    """Every voter of every level against the final outcome, by its first, independent ballot.

    Kleros and Aragon Court settle every round against the final ruling. An abstention is not scored, nor a
    ballot on which the outcome was not to be had: its position came later, or a rule merged it. Whoever
    equivocated is scored wrong even where nothing was ruled, because the two ballots prove it.
    """
    hearing = {one.level: one.heard for one in begun}
    found = []
    for panel in heard:
        asked = outcome is not None and outcome in case.options(hearing.get(panel.level, 0))
        found += [score for vote in panel.votes if (score := _score(vote, outcome if asked else None))]
    return tuple(found)


def moved(found: Sequence[Score], at: datetime) -> Mapping[str, Evidence]:
    """What each voter's sums on the case's topic gain by an outcome of time `at`."""
    sums: dict[str, Evidence] = {}
    for score in found:
        sums[score.voter] = sums.get(score.voter, Evidence()) + evidence(score, at)
    return sums


def _score(vote: Vote, outcome: str | None) -> Score | None:
    if vote.equivocated:
        return Score(vote.voter, right=False, equivocated=True)
    if outcome is None or vote.choice is None:
        return None
    return Score(vote.voter, vote.choice == outcome, vote.confidence)
