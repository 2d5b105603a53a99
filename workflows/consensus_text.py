"""A deliberation in words and tables, for the Temporal UI, queries and terminals."""

from typing import Any, assert_never

from domain.consensus.events import RoundClosed, Withdrawn
from domain.consensus.settle import next_step
from domain.consensus.state import Deliberation
from domain.counting import counted, share
from domain.strict_json import printable

_CELL = 60
_DETAILS = 18_000  # Temporal shows 20,000 bytes
_SPECIAL = frozenset("\\`*_{}[]()<>#+-.!|~&:@")


def table(state: Deliberation, status: str) -> str:
    """The live picture as markdown; whatever people wrote in it is escaped, for it is not ours."""
    proposal = state.proposal
    if proposal is None:
        return "not opened yet"
    voters = counted(len(state.panel), "voter")
    head = [
        f"**{escaped(proposal.question, 400)}**",
        f"status **{escaped(status)}**, {voters}, threshold {state.policy.threshold:g}",
        "",
        "| round | leading | agreement | ballots | abstained | stopped by |",
        "|---|---|---|---|---|---|",
    ]
    rows = [_row(closed) for closed in state.rounds]
    if state.balloting:
        rows.append(f"| {state.round} | under seal | | | | open |")
    decided = state.decided
    tail = ["", f"withdrawn: {escaped(_asked(state.withdrawn), 300)}"] if state.withdrawn else []
    if decided is not None:
        answer = f"**{escaped(decided.consensus)}**" if decided.consensus is not None else "no choice"
        tail = ["", f"{escaped(decided.status)}: {answer} ({escaped(decided.reason, 300)})"]
    text = "\n".join([*head, *rows, *tail])
    return text.encode()[:_DETAILS].decode(errors="ignore")


def explanation(state: Deliberation, handed_in: frozenset[str] = frozenset()) -> str:
    """How it came about, one line a step; of the open round, who has handed in a ballot."""
    proposal = state.proposal
    if proposal is None:
        return "The deliberation is not opened yet."
    lines = [
        printable(proposal.question, 400),
        _rules(state),
    ]
    for closed in state.rounds:
        lines.append(
            f"Round {closed.round}: {_counted(closed)}; {printable(closed.reason, 300)} ({closed.stop})."
        )
        lines += [
            f"  {printable(o.voter)} chose {printable(o.choice or 'none')}: {printable(o.reason, 300)}"
            for o in closed.objections
        ]
    if state.mediation is not None:
        lines.append(
            f"The mediator {printable(state.mediation.mediator)}: {printable(state.mediation.statement, 600)}"
        )
    if state.ruling is not None:
        lines.append(f"{printable(state.ruling.person)} ruled: {printable(state.ruling.reason, 300)}")
    return "\n".join([*lines, _end(state, handed_in)])


def summary(state: Deliberation, handed_in: frozenset[str]) -> dict[str, Any]:
    """Where it stands, for programs; ballots under seal are named by voter only."""
    proposal = state.proposal
    return {
        "id": proposal.id if proposal else None,
        "question": proposal.question if proposal else None,
        "waits_for": next_step(state) if proposal else "opening",
        "round": state.round,
        "options": list(state.options),
        "panel": [seat.voter for seat in state.panel],
        "handed_in": sorted(handed_in),
        "rounds": list(state.rounds),
        "decided": state.decided,
        "withdrawn": state.withdrawn,
        "events": len(state.event_ids),
    }


def escaped(text: str, limit: int = _CELL) -> str:
    """Text from outside as plain text inside markdown: no markup, no link, no control character."""
    return "".join(f"\\{c}" if c in _SPECIAL else c for c in printable(text, limit))


def _row(closed: RoundClosed) -> str:
    leading = ", ".join(escaped(choice) for choice in closed.leading[:5]) or "none"
    return (
        f"| {closed.round} | {leading} | {share(closed.agreement)} | {closed.cast} | {closed.abstained} "
        f"| {closed.stop} |"
    )


def _rules(state: Deliberation) -> str:
    policy = state.policy
    return (
        f"{counted(len(state.panel), 'voter')}, at most {counted(policy.max_rounds, 'round')};"
        f" {policy.threshold:g} of the weight "
        f"cast decides, the quorum is {policy.quorum:g} of the panel."
    )


def _counted(closed: RoundClosed) -> str:
    weighed = any(support.weight != support.ballots for support in closed.tally)
    said = []
    for support in closed.tally[:10]:
        weight = f" (weight {support.weight:g})" if weighed else ""
        said.append(f"{printable(support.choice)} {support.ballots}{weight}")
    return ", ".join(said) or "no ballot"


def _end(state: Deliberation, handed_in: frozenset[str]) -> str:
    decided = state.decided
    if state.withdrawn is not None:
        return f"Withdrawn, nothing is decided: {_asked(state.withdrawn)}."
    if decided is None:
        return _waiting(state, handed_in)
    if decided.consensus is None:
        return f"Unresolved: {printable(decided.reason, 600)}."
    return (
        f"Decided by {decided.authority}: {printable(decided.consensus)} ({printable(decided.reason, 300)})."
    )


def _asked(withdrawn: Withdrawn) -> str:
    said = printable(withdrawn.reason, 300) or "no reason was given"
    return f"{withdrawn.authority} was asked to cancel it ({said})"


def _waiting(state: Deliberation, handed_in: frozenset[str]) -> str:
    match next_step(state):
        case "ballots":
            voted = ", ".join(printable(voter) for voter in sorted(handed_in)) or "nobody yet"
            options = ", ".join(printable(option) for option in state.options)
            return f"Round {state.round} is open: {options}. Ballots under seal: {voted}."
        case "mediate":
            return "It waits for the mediator."
        case "person":
            return "It waits for a person to rule."
        case "conclude" | "settled":
            return "Its outcome is being written."
        case step:
            assert_never(step)
