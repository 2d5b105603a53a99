"""A docket in words and tables, for the Temporal UI."""

from domain.consensus.docket import DecideDocketRequest
from domain.counting import counted
from workflows.consensus_text import escaped


def details(request: DecideDocketRequest, items: int, decided: int, statuses: dict[str, int]) -> str:
    """The live picture as markdown; whatever people wrote in it is escaped, for it is not ours."""
    policy = request.policy
    share = f"{decided / items:.0%}" if items else "none"
    return "\n".join(
        [
            f"**{escaped(request.question, 400)}**",
            f"weighting **{policy.weighting}**, threshold {policy.threshold:g}",
            f"{counted(items, 'item')}, {share} decided",
            "",
            "| status | items |",
            "|---|---|",
            *(f"| {escaped(status)} | {number} |" for status, number in sorted(statuses.items())),
        ]
    )
