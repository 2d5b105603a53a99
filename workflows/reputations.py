"""What is known of the voters before a deliberation opens, where its policy weighs by it."""

from collections.abc import Mapping
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError, is_cancelled_exception

from activities.reputation import Reputation, StandingsFound, StandingsWanted
from domain.consensus.commands import OpenDeliberation
from domain.consensus.events import ReputationsRead
from domain.refusal import Refusal

# Nothing is written yet, so it is better to end than to wait for a database that is down.
_WITHIN = timedelta(seconds=30)


async def reputations(request: OpenDeliberation) -> tuple[Mapping[str, float], ReputationsRead | None]:
    """The mean reputation of each voter that has one, in (0, 1), and what it was read from.

    Nothing where the policy does not ask.

    Raises:
        Refusal: they could not be read within 30 s.
    """
    if request.policy.weighting != "reputation":
        return {}, None
    wanted = StandingsWanted(
        request.topic, tuple(voter.id for voter in request.voters), workflow.now().timestamp()
    )
    try:
        found: StandingsFound = await workflow.execute_activity_method(
            Reputation.mean_standings,
            wanted,
            start_to_close_timeout=timedelta(seconds=10),
            schedule_to_close_timeout=_WITHIN,
            summary=f"read the reputations of {len(request.voters)} voters",
        )
    except ActivityError as error:
        if is_cancelled_exception(error):
            raise
        seconds = f"{_WITHIN.total_seconds():g} s"
        raise Refusal(
            "policy.weighting",
            f"the reputations could not be read within {seconds}; try again, or weigh equal",
        ) from None
    return found.means, found.read
