"""What one workflow run can hold, asked before anything is written."""

from domain.consensus.commands import OpenDeliberation
from domain.refusal import Refusal

# Temporal takes 2,000 updates in one run; a voter may hand in two differing ballots a round.
MAX_LIVE_BALLOTS = 1900


def check_size(request: OpenDeliberation) -> None:
    """Refuse what one run cannot hold, before anything is written.

    Raises:
        Refusal: there may be more live ballots over all rounds than Temporal takes updates.
    """
    policy = request.policy
    external = sum(voter.kind == "external" for voter in request.voters)
    ballots = min(external, policy.panel_size or external) * policy.max_rounds
    if ballots > MAX_LIVE_BALLOTS:
        raise Refusal(
            "policy.max_rounds",
            f"{ballots} ballots of external voters over {policy.max_rounds} rounds are too many, at most "
            f"{MAX_LIVE_BALLOTS} are taken; allow fewer rounds or a smaller panel_size",
        )
