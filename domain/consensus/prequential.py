"""Weights of a docket's votes under `reputation`: what the items before an item showed of its voters."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from domain.consensus import reputation
from domain.consensus.ballot_table import BallotTable, Vote
from domain.consensus.events import BallotCast, Seat
from domain.consensus.policy import Policy
from domain.consensus.tally import count


@dataclass(slots=True)
class Standings:
    """Beta(alpha, beta) of every voter, moved ballot by ballot; `before` is what they bring along.

    Within a docket nothing fades: all its items are ruled on at one time.
    """

    before: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    right: dict[str, int] = field(default_factory=dict)
    wrong: dict[str, int] = field(default_factory=dict)

    def mean(self, voter: str) -> float:
        alpha, beta = self.before.get(voter, reputation.PRIOR)
        return reputation.mean(alpha + self.right.get(voter, 0), beta + self.wrong.get(voter, 0))

    def rule(self, votes: Sequence[Vote], consensus: str | None) -> None:
        """Score one item's votes; an item without consensus, or an abstention, moves nobody."""
        if consensus is None:
            return
        for vote in votes:
            if vote.choice is not None:
                column = self.right if vote.choice == consensus else self.wrong
                column[vote.voter] = column.get(vote.voter, 0) + 1


def prequential_weights(
    table: BallotTable, policy: Policy, before: Mapping[str, tuple[float, float]] | None = None
) -> list[tuple[float, ...]]:
    """The weight of each vote of each item under `reputation`, aligned with `table.votes`.

    Items are decided in the docket's order, and an item's weights come from the outcomes of the items before
    it alone: no voter is weighed by a ruling that its own ballot took part in (A. P. Dawid, "Present position
    and potential developments: the prequential approach", JRSS A 147, 1984).
    """
    standings = Standings(before or {})
    found = []
    for item in range(len(table.items)):
        votes = table.votes(item)
        weights = tuple(reputation.weight(standings.mean(vote.voter)) for vote in votes)
        seats = [Seat(vote.voter, weight) for vote, weight in zip(votes, weights, strict=True)]
        ballots = [BallotCast(vote.voter, 1, vote.choice) for vote in votes]
        result = count(seats, policy, ballots, table.choices)
        standings.rule(votes, result.leading[0] if result.reached else None)
        found.append(weights)
    return found
