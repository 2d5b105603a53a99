"""From the last round to the outcome: consensus, mediation, a person's ruling, or plainly none."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Literal, assert_never

from domain.consensus.commands import MAX_REASON, Rule
from domain.consensus.events import BallotCast, Decided, MediationGiven, PersonRuled, Score, Withdrawn
from domain.consensus.possible import compelled
from domain.consensus.state import Deliberation
from domain.consensus.tally import equivocating, plurality
from domain.refusal import Refusal
from domain.strict_json import printable

NextStep = Literal["ballots", "mediate", "person", "conclude", "settled"]


def give_mediation(state: Deliberation, given: MediationGiven) -> list[MediationGiven]:
    """Record what a mediator said, once; an answer that does not fit the case is an abstention, said so."""
    if state.mediation is not None:
        return []
    evidence = state.proposal.evidence if state.proposal else ()
    foreign = sum(cited not in evidence for cited in given.citations)
    if given.choice is not None and given.choice not in state.asked:
        why = "the mediator chose what is not an option"
    elif foreign:
        why = f"the mediator cited {foreign} pieces that are not evidence of this case"
    else:
        return [given]
    return [replace(given, choice=None, citations=(), statement=f"abstained: {why}\n{given.statement}")]


def rule(state: Deliberation, command: Rule) -> list[PersonRuled]:
    """A person's ruling where the policy leaves the decision to one.

    Raises:
        Refusal: no person is asked now, or the choice is not among the options of the proposal.
    """
    if next_step(state) != "person":
        raise Refusal(
            "rule", "no ruling is awaited: the panel still votes, has decided, or the policy asks no person"
        )
    if command.choice not in state.asked:
        raise Refusal("choice", f"'{printable(command.choice, 60)}' is not an option of the proposal")
    return [PersonRuled(person=command.person, choice=command.choice, reason=command.reason)]


def next_step(state: Deliberation) -> NextStep:
    """What a deliberation waits for."""
    if state.decided is not None or state.withdrawn is not None:
        return "settled"
    last = state.last_round
    if last is None or last.stop == "open":
        return "ballots"
    if last.stop == "threshold" or state.ruling is not None or state.mediation is not None:
        return "conclude"
    match state.policy.otherwise:
        case "mediate":
            return "mediate"
        case "person":
            return "person"
        case "unresolved":
            return "conclude"
        case _:
            assert_never(state.policy.otherwise)


def withdraw(state: Deliberation, reason: str, at: datetime) -> list[Withdrawn | Decided]:
    """Take the question back, where nothing is decided; else state what the record compels already.

    `reason` is what was said with the request. Nothing for a deliberation that is settled or not opened.
    """
    match next_step(state) if state.proposal else "settled":
        case "settled":
            return []
        case "conclude":
            return [*conclude(state, at)]
        case _:
            return [Withdrawn("temporal", printable(reason, MAX_REASON), len(state.rounds))]


def conclude(
    state: Deliberation, at: datetime, posterior: Mapping[str, float] | None = None
) -> list[Decided]:
    """The outcome that the record compels; nothing for a deliberation that has one.

    Raises:
        Refusal: a round is still open.
    """
    last = state.last_round
    if next_step(state) == "settled":
        return []
    if last is None or last.stop == "open" or state.opened_at is None:
        raise Refusal("round", f"round {state.round} is still open")
    choice, status, authority, reason = compelled(state.policy, last, state.mediation, state.ruling)
    first = [counted.ballot for counted in state.ballots_of(1)]
    equivocators = [voter for held in state.rounds for voter in held.equivocators]
    voted = {counted.ballot.voter for counted in state.ballots if counted.ballot.choice is not None}
    return [
        Decided(
            consensus=choice,
            status=status,
            authority=authority,
            reason=reason,
            leading=last.leading,
            agreement=last.agreement,
            rounds_required=len(state.rounds),
            participating_nodes=tuple(seat.voter for seat in state.panel if seat.voter in voted),
            time_to_consensus=(at - state.opened_at).total_seconds(),
            policy=state.policy,
            ballots=tuple(counted.event_id for counted in state.ballots_of(last.round)),
            majority=plurality(first),
            posterior=None if posterior is None else dict(posterior),
            # Reputation moves by final rulings only: that of a case's panel is not, the case's outcome is.
            scores=() if state.case is not None else scores(first, choice, equivocators),
        )
    ]


def scores(
    first: Sequence[BallotCast], ruling: str | None, equivocators: Iterable[str] = ()
) -> tuple[Score, ...]:
    """How the first, independent ballots stand against a final ruling.

    Later ballots are not scored: they may only follow the majority. Whoever equivocated, in any round, is
    scored wrong even where nothing was ruled, because the two ballots prove it.
    """
    void = {*equivocating(first), *equivocators}
    found = {voter: Score(voter, right=False, equivocated=True) for voter in sorted(void)}
    for ballot in first:
        if ballot.voter not in void and ruling is not None and ballot.choice is not None:
            found[ballot.voter] = Score(ballot.voter, ballot.choice == ruling, ballot.confidence)
    return tuple(found.values())
