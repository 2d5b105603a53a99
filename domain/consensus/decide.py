"""The decisions of a deliberation: state and command in, events out; time and chance are arguments."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Literal

from domain.consensus.commands import CastBallot, OpenDeliberation, Rule
from domain.consensus.events import (
    Authority,
    BallotCast,
    BallotSealed,
    Decided,
    MediationGiven,
    Opened,
    PersonRuled,
    Proposal,
    RoundClosed,
    Score,
    Status,
    StopReason,
)
from domain.consensus.panel import draw_panel
from domain.consensus.refinement import objections, refined_options
from domain.consensus.state import Deliberation, commitment
from domain.consensus.tally import Count, count, equivocating, plurality
from domain.refusal import Refusal
from domain.strict_json import printable

NextStep = Literal["ballots", "mediate", "person", "conclude", "settled"]


class NotOnThePanel(Refusal):
    """The voter was not drawn for this deliberation."""


class RoundIsClosed(Refusal):
    """The ballot is for a round that is over, not yet open, or the deliberation is settled."""


class AlreadyEquivocated(Refusal):
    """The voter has two different ballots in this round on the record; a third says nothing new."""


def open_deliberation(
    command: OpenDeliberation, reputations: Mapping[str, float] | None = None
) -> list[Opened]:
    """Draw the panel and freeze everything the outcome depends on.

    Raises:
        Refusal: the panel that the policy asks for cannot be drawn.
    """
    panel = draw_panel(command.voters, command.policy, command.topic, command.region, reputations)
    proposal = Proposal(
        id=command.id,
        question=command.question,
        options=command.options,
        topic=command.topic,
        region=command.region,
        context=command.context,
        evidence=command.evidence,
    )
    return [Opened(proposal, command.policy, panel, candidates=len(command.voters))]


def seal_ballot(
    state: Deliberation, command: CastBallot, held: Sequence[BallotCast], nonce: str
) -> tuple[list[BallotSealed], BallotCast | None]:
    """Take a ballot of the open round under seal.

    `held` are the ballots of this voter that are under seal already. Returns the event that commits to the
    ballot and the ballot to hold until the round closes; `([], None)` for a repeated one. A second, different
    ballot is taken too: it is an equivocation, which the record must show.

    Raises:
        NotOnThePanel, RoundIsClosed, AlreadyEquivocated: the ballot cannot be taken.
        Refusal: the choice is not among the options of this round.
    """
    number = command.round if command.round is not None else state.round
    if not state.balloting:
        raise RoundIsClosed("round", "the deliberation takes no more ballots")
    if number != state.round:
        raise RoundIsClosed("round", f"round {number} is not open, the open round is {state.round}")
    if state.seat(command.voter) is None:
        raise NotOnThePanel("voter", f"{printable(command.voter, 60)} is not on the panel")
    if command.choice is not None and command.choice not in state.options:
        raise Refusal("choice", f"'{printable(command.choice, 60)}' is not an option of round {number}")
    ballot = BallotCast(
        voter=command.voter,
        round=number,
        choice=command.choice,
        confidence=command.confidence,
        reason=command.reason,
        changed=_changed(state, command.voter, command.choice),
        nonce=nonce,
    )
    if any(_same(ballot, other) for other in held):
        return [], None
    if len(equivocating(held)) > 0:
        raise AlreadyEquivocated(
            "voter", f"{command.voter} has two different ballots in round {number} already"
        )
    return [BallotSealed(command.voter, number, commitment(ballot))], ballot


def close_round(
    state: Deliberation,
    ballots: Sequence[BallotCast],
    *,
    last_word: bool = False,
    posterior: Mapping[str, float] | None = None,
) -> list[BallotCast | RoundClosed]:
    """Reveal the ballots of the open round, count them, and say whether another round follows.

    `ballots` of voters off the panel or of another round must not be given. A choice outside the options is
    an abstention with its reason. `last_word`: no voter can still change its ballot, so a further round would
    be stable before it began.
    """
    cast = [_as_counted(state, ballot) for ballot in ballots]
    counted = count(state.panel, state.policy, cast, state.options, posterior)
    stop, reason = _stop(state, cast, counted, last_word=last_word)
    closed = RoundClosed(
        round=state.round,
        tally=counted.tally,
        leading=counted.leading,
        agreement=round(counted.agreement, 9),
        cast=counted.cast,
        abstained=counted.abstained,
        stop=stop,
        reason=reason,
        equivocators=counted.equivocators,
        options=refined_options(state.options, counted, state.policy) if stop == "open" else (),
        objections=objections(cast, counted) if stop == "open" else (),
    )
    return [*cast, closed]


def give_mediation(state: Deliberation, given: MediationGiven) -> list[MediationGiven]:
    """Record what a mediator said; a choice that is no option is an abstention, said so."""
    if given.choice is not None and (state.proposal is None or given.choice not in state.proposal.options):
        statement = f"abstained: the answer was not among the options. {given.statement}"
        return [replace(given, choice=None, statement=statement)]
    return [given]


def rule(state: Deliberation, command: Rule) -> list[PersonRuled]:
    """A person's ruling where the policy leaves the decision to one.

    Raises:
        Refusal: no person is asked now, or the choice is not among the options of the proposal.
    """
    if next_step(state) != "person":
        raise Refusal(
            "rule", "no ruling is awaited: the panel still votes, has decided, or the policy asks no person"
        )
    options = state.proposal.options if state.proposal else ()
    if command.choice not in options:
        raise Refusal("choice", f"'{printable(command.choice, 60)}' is not an option of the proposal")
    return [PersonRuled(person=command.person, choice=command.choice, reason=command.reason)]


def next_step(state: Deliberation) -> NextStep:
    """What a deliberation waits for."""
    if state.decided is not None:
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


def conclude(
    state: Deliberation, at: datetime, posterior: Mapping[str, float] | None = None
) -> list[Decided]:
    """The outcome that the record compels; nothing for a deliberation that has one.

    Raises:
        Refusal: a round is still open.
    """
    last = state.last_round
    if state.decided is not None:
        return []
    if last is None or last.stop == "open" or state.opened_at is None:
        raise Refusal("round", f"round {state.round} is still open")
    choice, status, authority, reason = _ruling(state, last)
    first = [counted.ballot for counted in state.ballots_of(1)]
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
            posterior=dict(posterior) if posterior is not None else None,
            scores=scores(first, choice),
        )
    ]


def scores(first: Sequence[BallotCast], ruling: str | None) -> tuple[Score, ...]:
    """How the first, independent ballots stand against a final ruling.

    Later ballots are not scored: they may only follow the majority. Whoever equivocated is scored wrong even
    where nothing was ruled, because the two ballots prove it.
    """
    void = equivocating(first)
    found: dict[str, Score] = {}
    for ballot in first:
        if ballot.voter in void:
            found[ballot.voter] = Score(ballot.voter, right=False, equivocated=True)
        elif ruling is not None and ballot.choice is not None:
            found[ballot.voter] = Score(ballot.voter, ballot.choice == ruling, ballot.confidence)
    return tuple(found.values())


def _ruling(state: Deliberation, last: RoundClosed) -> tuple[str | None, Status, Authority, str]:
    if last.stop == "threshold":
        return last.leading[0], "consensus", "consensus", last.reason
    if state.ruling is not None:
        return state.ruling.choice, "ruled_by_person", "person", state.ruling.reason
    if state.mediation is not None and state.mediation.choice is not None:
        return state.mediation.choice, "mediated", "mediator", state.mediation.statement
    tried = ""
    if state.mediation is not None:
        tried = "; the mediator abstained"
    elif state.policy.otherwise == "person":
        tried = "; no person ruled in time"
    return None, "unresolved", "rule", f"{last.reason}{tried}"


def _stop(
    state: Deliberation, cast: Sequence[BallotCast], counted: Count, *, last_word: bool
) -> tuple[StopReason, str]:
    if counted.reached:
        return "threshold", counted.reason
    if state.round >= state.policy.max_rounds:
        return "cap", f"{counted.reason}; round {state.round} was the last allowed"
    if state.round > 1 and not any(ballot.changed for ballot in cast):
        return "stable", f"{counted.reason}; no ballot changed in round {state.round}"
    if last_word:
        return "stable", f"{counted.reason}; no voter has a further ballot"
    return "open", counted.reason


def _as_counted(state: Deliberation, ballot: BallotCast) -> BallotCast:
    if ballot.choice is not None and ballot.choice not in state.options and ballot.nonce is None:
        reason = f"abstained: '{printable(ballot.choice, 60)}' is not an option of round {state.round}"
        ballot = replace(ballot, choice=None, reason=reason)
    return replace(ballot, changed=_changed(state, ballot.voter, ballot.choice))


def _changed(state: Deliberation, voter: str, choice: str | None) -> bool:
    before = [c.ballot.choice for c in state.ballots_of(state.round - 1) if c.ballot.voter == voter]
    return bool(before) and choice not in before


def _same(ballot: BallotCast, other: BallotCast) -> bool:
    return replace(ballot, nonce=None) == replace(other, nonce=None)
