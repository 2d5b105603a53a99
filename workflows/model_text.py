"""What Temporal's UI shows of a model."""

from domain.learning.versions.state import ModelState
from workflows.consensus_text import escaped

_SHOWN = 10


def details(state: ModelState) -> str:
    """Who serves, and the newest versions, as Markdown."""
    lines = [f"**{state.model}**: {state.active or 'no version'} serves"]
    canary = state.canary
    if canary is not None:
        lines.append(f"\n{canary.version} is tried on {canary.share:.0%} of the nodes")
    unheard = state.evaluated.unheard if canary and state.evaluated and not state.evaluated.results else ()
    if unheard:
        told = f"{unheard[0].host}: {escaped(unheard[0].reason)}"
        lines.append(f"\nNobody could evaluate it ({told}); judge, promote or roll back")
    lines += ["", "| version | status | loss | accuracy | why |", "|---|---|---|---|---|"]
    for one in reversed(state.versions[-_SHOWN:]):
        stands = state.standing[one.version]
        loss = "" if one.loss is None else f"{one.loss:.4g}"
        accuracy = "" if one.accuracy is None else f"{one.accuracy:.4g}"
        why = escaped(f"{stands.by}: {stands.reason}" if stands.by else stands.reason)
        lines.append(f"| {one.version} | {stands.status} | {loss} | {accuracy} | {why} |")
    return "\n".join(lines)
