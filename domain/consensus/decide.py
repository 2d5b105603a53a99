"""The decisions of a deliberation: state and command in, events out; chance is an argument."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from domain.consensus.commands import CastBallot, OpenDeliberation
from domain.consensus.events import (
    BallotCast,
    BallotSealed,
    Opened,
    Proposal,
    ReputationsRead,
    RoundClosed,
    StopReason,
)
from domain.consensus.panel import draw_panel
from domain.consensus.possible import commitment
from domain.consensus.refinement import objections, refined_options
from domain.consensus.state import Deliberation
from domain.consensus.tally import Count, count, equivocating
from domain.refusal import Refusal
from domain.strict_json import printable

Choices = Mapping[str, set[str | None]]


class NotOnThePanel(Refusal):
    """The voter was not drawn for this deliberation."""


class RoundIsClosed(Refusal):
    """The ballot is for a round that is over, not yet open, or the deliberation is settled."""


class AlreadyUnderSeal(Refusal):
    """The voter has this choice under seal in this round; what it said beside it stays as it was."""


class AlreadyEquivocated(Refusal):
    """The voter has two different ballots in this round on the record; a third says nothing new."""


def open_deliberation(
    command: OpenDeliberation,
    reputations: Mapping[str, float] | None = None,
    read: ReputationsRead | None = None,
) -> list[Opened]:
    """Draw the panel and freeze everything the outcome depends on; `read` is what `reputations` come from.

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
    return [
        Opened(
            proposal,
            command.policy,
            panel,
            candidates=len(command.voters),
            reputations_read=read,
            case=command.case,
        )
    ]


def seal_ballot(
    state: Deliberation, command: CastBallot, held: Sequence[BallotCast], nonce: str
) -> tuple[list[BallotSealed], BallotCast | None]:
    """Take a ballot of the open round under seal.

    `held` are the ballots of this voter in that round that were taken already. Returns the event that commits
    to the ballot and the ballot to hold until the round closes; `([], None)` for a repeated one, also when
    the round has closed since. A second ballot with another choice is taken too: it is an equivocation, which
    the record must show.

    Raises:
        NotOnThePanel, RoundIsClosed, AlreadyUnderSeal, AlreadyEquivocated: the ballot cannot be taken.
        Refusal: the choice is not among the options of this round.
    """
    number = command.round if command.round is not None else state.round
    if any(_repeats(command, number, other) for other in held):
        return [], None
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
        changed=_changed(_choices_before(state), command.voter, command.choice),
        nonce=nonce,
    )
    if any(ballot.choice == other.choice for other in held):
        raise AlreadyUnderSeal(
            "voter",
            f"{command.voter} has this choice under seal in round {number}; its reason and confidence stay",
        )
    if equivocating(held):
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
    be stable before it began. Nothing for a deliberation whose last round is closed.
    """
    if not state.balloting:
        return []
    before = _choices_before(state)
    cast = [_as_counted(state, ballot, before) for ballot in ballots]
    counted = count(state.panel, state.policy, cast, state.options, posterior)
    moved = any(ballot.changed or ballot.voter not in before for ballot in cast)
    stop, reason = _stop(state, counted, moved=moved, last_word=last_word)
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


def _stop(state: Deliberation, counted: Count, *, moved: bool, last_word: bool) -> tuple[StopReason, str]:
    if counted.reached:
        return "threshold", counted.reason
    if state.round >= state.policy.max_rounds:
        return "cap", f"{counted.reason}; round {state.round} was the last allowed"
    if state.round > 1 and not moved:
        return "stable", f"{counted.reason}; no ballot changed in round {state.round}"
    if last_word:
        return "stable", f"{counted.reason}; no voter has a further ballot"
    return "open", counted.reason


def _as_counted(state: Deliberation, ballot: BallotCast, before: Choices) -> BallotCast:
    if ballot.choice is not None and ballot.choice not in state.options and ballot.nonce is None:
        reason = f"abstained: '{printable(ballot.choice, 60)}' is not an option of round {state.round}"
        ballot = replace(ballot, choice=None, reason=reason)
    changed = _changed(before, ballot.voter, ballot.choice)
    return ballot if changed == ballot.changed else replace(ballot, changed=changed)


def _choices_before(state: Deliberation) -> Choices:
    """What each voter chose in the round before the open one."""
    before: dict[str, set[str | None]] = {}
    for counted in state.ballots_of(state.round - 1):
        before.setdefault(counted.ballot.voter, set()).add(counted.ballot.choice)
    return before


def _changed(before: Choices, voter: str, choice: str | None) -> bool:
    return voter in before and choice not in before[voter]


def _repeats(command: CastBallot, number: int, taken: BallotCast) -> bool:
    said = (command.voter, number, command.choice, command.confidence, command.reason)
    return said == (taken.voter, taken.round, taken.choice, taken.confidence, taken.reason)
