"""What an event says, in one line for people: with its reasons and on whose authority."""

from collections.abc import Callable, Iterable
from typing import Any, assert_never

from audit.budget_wording import said_of_budget
from audit.case_wording import said_of_case
from audit.learning_wording import said_of_cycle
from audit.version_wording import said_of_version
from domain.audit_events import CheckpointSigned, KeyAnnounced
from domain.conflict.events import ConflictEvent
from domain.consensus.events import (
    BallotCast,
    BallotSealed,
    ConsensusEvent,
    Decided,
    DocketClosed,
    DocketEstimated,
    DocketEvent,
    DocketOpened,
    DocketWithdrawn,
    MediationGiven,
    Opened,
    PersonRuled,
    RoundClosed,
    SliceDecided,
    Withdrawn,
)
from domain.context.canonical import canonical
from domain.context.events import Written
from domain.counting import counted, share
from domain.deadletters import Discarded
from domain.event import EventData
from domain.learning.budget.events import BudgetEvent
from domain.learning.events import CycleEvent
from domain.learning.fleet import Announced, FleetEvent, Left
from domain.learning.versions.events import ModelEvent

_FEW = 8
_ELSEWHERE: tuple[tuple[Any, Callable[[Any], str]], ...] = (
    (ConflictEvent, said_of_case),
    (CycleEvent, said_of_cycle),
    (ModelEvent, said_of_version),
    (BudgetEvent, said_of_budget),
)


def said(data: EventData) -> str:  # noqa: PLR0911 # a line for each kind of event
    """One line; it quotes what people wrote, so whoever prints it escapes it."""
    for kind, words in _ELSEWHERE:
        if isinstance(data, kind):
            return words(data)
    match data:
        case (
            Opened()
            | BallotSealed()
            | BallotCast()
            | RoundClosed()
            | MediationGiven()
            | PersonRuled()
            | Decided()
            | Withdrawn()
        ):
            return _deliberation(data)
        case DocketOpened() | DocketEstimated() | SliceDecided() | DocketClosed() | DocketWithdrawn():
            return _docket(data)
        case Written():
            case = "" if data.case is None else f", as ruled in case {data.case}"
            return (
                f"{data.writer} at {data.node} in {data.region} writes '{data.key}'{case}:"
                f" {canonical(data.value)}"
            )
        case CheckpointSigned():
            return f"{data.origin} up to {counted(data.size, 'record')} is sealed under {data.root}"
        case KeyAnnounced():
            return _key(data)
        case Discarded():
            where = f"{data.topic}/{data.partition} offset {data.offset}"
            return f"{data.who} discards the record parked at {where}: {data.why}"
        case Announced() | Left():
            return _host(data)
        case _:
            return data.TYPE


def _host(data: FleetEvent) -> str:
    if isinstance(data, Left):
        return f"{data.host} leaves: {data.reason}"
    part = f" (part {data.part} of {data.parts})" if data.parts > 1 else ""
    return f"{data.host} in {data.region} trains for {_few(c.id for c in data.clients)}{part}"


def _deliberation(  # noqa: PLR0911 # a line for each kind of event
    data: ConsensusEvent,
) -> str:
    match data:
        case Opened():
            panel = _few(seat.voter for seat in data.panel)
            return (
                f"{data.proposal.question} options {_few(data.proposal.options)}; panel {panel};"
                f" threshold {data.policy.threshold:g}, weighting {data.policy.weighting}"
            )
        case BallotSealed():
            return f"round {data.round}: {data.voter} hands in a sealed ballot, commitment {data.commitment}"
        case BallotCast():
            return _ballot(data)
        case RoundClosed():
            tally = ", ".join(f"{s.choice} {s.weight:g} ({s.ballots})" for s in data.tally)
            lead = " and ".join(data.leading) or "nothing"
            return (
                f"round {data.round} counted: {tally or 'no ballot'}; {lead} leads with"
                f" {share(data.agreement)}; {data.stop}: {data.reason}"
            )
        case MediationGiven():
            ruled = f"proposes {data.choice}" if data.choice is not None else "abstains"
            return f"{data.mediator} {ruled}: {data.statement}"
        case PersonRuled():
            return f"{data.person} rules {data.choice}: {data.reason}"
        case Decided():
            return _decided(data)
        case Withdrawn():
            return f"withdrawn after {counted(data.rounds, 'round')}, nothing is decided{_asked(data)}"
        case _:
            assert_never(data)


def _ballot(data: BallotCast) -> str:
    does = f"chooses {data.choice}" if data.choice is not None else "abstains"
    sure = f" with confidence {data.confidence:g}" if data.confidence is not None else ""
    changed = ", a changed ballot" if data.changed else ""
    why = data.reason if data.choice is not None else data.reason.removeprefix("abstained: ")
    reason = f": {why}" if why else ""
    return f"round {data.round}: {data.voter} {does}{sure}{changed}{reason}"


def _decided(data: Decided) -> str:
    outcome = data.consensus if data.consensus is not None else "no consensus"
    return (
        f"{outcome}, {data.status} by authority of {data.authority}, agreement {share(data.agreement)}"
        f" after {counted(data.rounds_required, 'round')} with {counted(len(data.ballots), 'ballot')}:"
        f" {data.reason}"
    )


def _docket(data: DocketEvent) -> str:
    match data:
        case DocketOpened():
            return (
                f"{data.question} {counted(data.items, 'item')}, {counted(data.voters, 'voter')},"
                f" choices {_few(data.choices)}; table {data.table.sha256};"
                f" threshold {data.policy.threshold:g}, weighting {data.policy.weighting}"
            )
        case DocketEstimated():
            return (
                f"{data.method}: log-likelihood {data.log_likelihood:.4f}"
                f" after {counted(data.iterations, 'iteration')},"
                f" {'converged' if data.converged else 'not converged'}"
            )
        case SliceDecided():
            return f"items {data.first} to {data.last - 1} decided: {_counts(data.statuses)}"
        case DocketClosed():
            found = _counts(data.statuses)
            return f"{counted(data.items, 'item')} decided: {found}; results {data.results.sha256}"
        case DocketWithdrawn():
            return f"withdrawn with {counted(data.decided, 'item')} decided{_asked(data)}"
        case _:
            assert_never(data)


def _key(data: KeyAnnounced) -> str:
    before = f"in the place of {data.replaces}" if data.replaces else "as the first"
    signed = f", which was lost, says {data.lost}" if data.lost is not None else ""
    return f"{data.key} signs from here on, {before}{signed}"


def _asked(data: Withdrawn | DocketWithdrawn) -> str:
    return f"; {data.authority} was asked to cancel: {data.reason or 'no reason was given'}"


def _counts(statuses: dict[str, int]) -> str:
    return ", ".join(f"{count} {status}" for status, count in sorted(statuses.items()))


def _few(names: Iterable[str]) -> str:
    every = list(names)
    return ", ".join(every[:_FEW]) + (f" and {len(every) - _FEW} more" if len(every) > _FEW else "")
