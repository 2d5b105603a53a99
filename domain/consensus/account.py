"""What a docket says of its voters once every item has its outcome."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from domain.consensus.ballot_table import BallotTable
from domain.consensus.events import Score
from domain.consensus.prequential import Standings
from domain.consensus.reputation import EPOCH, Evidence, evidence, mean_brier


@dataclass(frozen=True, slots=True)
class VoterAccount:
    """One voter of a docket.

    `ballots`: items it labelled, an item labelled several times counts once. `reputation`: mean of its
    Beta(alpha, beta) after the docket's outcomes, in (0, 1). `accuracy`: under a model its estimated
    probability of saying the truth, else its share of ballots that agree with a consensus; null if none
    was reached on any item that it voted on. `brier`: the mean Brier score of the confidences that it
    stated, held against the consensus, 0 perfect and 1 sure of the wrong; null if it stated none.
    """

    voter: str
    ballots: int
    reputation: float
    accuracy: float | None
    brier: float | None = None


def accounts(
    table: BallotTable,
    outcomes: Sequence[str | None],
    accuracies: Sequence[float] | None = None,
    before: Mapping[str, tuple[float, float]] | None = None,
) -> list[VoterAccount]:
    """Every voter of the table, in its order.

    `outcomes`: the consensus of each item or null. `accuracies`: a model's estimate for each voter, where
    the weighting has a model (`Estimate.accuracies`).
    """
    standings = Standings(before or {})
    stated: dict[str, Evidence] = {}
    ballots = dict.fromkeys(table.voters, 0)
    for item, consensus in enumerate(outcomes):
        votes = table.votes(item)
        standings.rule(votes, consensus)
        for vote in votes:
            ballots[vote.voter] += 1
            if consensus is not None and vote.choice is not None and vote.confidence is not None:
                score = Score(vote.voter, vote.choice == consensus, vote.confidence)
                stated[vote.voter] = stated.get(vote.voter, Evidence()) + evidence(score, EPOCH)
    estimated = [None] * len(table.voters) if accuracies is None else accuracies
    return [
        VoterAccount(
            voter,
            ballots[voter],
            standings.mean(voter),
            _agreement(standings, voter) if estimate is None else float(estimate),
            mean_brier(stated.get(voter, Evidence())),
        )
        for voter, estimate in zip(table.voters, estimated, strict=True)
    ]


def _agreement(standings: Standings, voter: str) -> float | None:
    right, wrong = standings.right.get(voter, 0), standings.wrong.get(voter, 0)
    return right / (right + wrong) if right + wrong else None
