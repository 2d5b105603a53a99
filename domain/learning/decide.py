"""The decisions of a learning cycle: state and what came in, events out; repeating one returns nothing."""

from collections.abc import Sequence

from domain.learning.attempt import Drawn, NewModel
from domain.learning.events import (
    CycleClosed,
    CycleEvent,
    CycleFailed,
    CycleOpened,
    CycleWithdrawn,
    Loss,
    Report,
    RoundAbandoned,
    RoundAggregated,
    RoundOpened,
    UpdatesCollected,
)
from domain.learning.outcome import CycleOutcome
from domain.learning.possible import MAX_REPORTS, check_open, entered
from domain.learning.state import Cycle
from domain.refusal import ImpossibleEvent, Refusal

MAX_REASON = 500


def open_cycle(state: Cycle, opening: CycleOpened) -> list[CycleEvent]:
    """Freeze everything that the model depends on.

    Raises:
        Refusal: another cycle of that id began.
    """
    if state.opened is None:
        return [opening]
    if state.opened.request == opening.request:
        return []
    raise Refusal("id", f"{opening.request.id} began with another request; choose another id")


def open_round(state: Cycle, drawn: Drawn) -> list[CycleEvent]:
    """Ask a cohort; nothing while a round is open, or when there is no further one."""
    if state.round is not None or state.ended or state.next_round > state.cycle.request.rounds:
        return []
    return [
        RoundOpened(
            state.next_round,
            state.next_attempt,
            drawn.roster,
            drawn.eligible,
            tuple(sorted(drawn.cohort, key=lambda member: member.client)),
            state.model,
        )
    ]


def collect(
    state: Cycle, round_: int, attempt: int, reports: Sequence[Report], lost: Sequence[Loss]
) -> list[CycleEvent]:
    """Record what came in, in the order of the clients' ids, in parts; what is known already is left out.

    Raises:
        ImpossibleEvent: that attempt is not open.
    """
    check_open(state, round_, attempt)
    came: list[Report | Loss] = [*reports, *lost]
    new = sorted((one for one in came if one.client not in state.told), key=lambda one: one.client)
    return [
        UpdatesCollected(
            round_,
            attempt,
            tuple(one for one in part if isinstance(one, Report)),
            tuple(one for one in part if isinstance(one, Loss)),
        )
        for part in (new[start : start + MAX_REPORTS] for start in range(0, len(new), MAX_REPORTS))
    ]


def shortage(state: Cycle, came: int) -> str | None:
    """Why the open attempt cannot become a model, of which `came` reports came in; None where it can."""
    minimum = state.cycle.request.cohort.minimum
    return None if came >= minimum else f"{came} of {minimum} reports came in"


def abandon(state: Cycle, round_: int, attempt: int, reason: str) -> list[CycleEvent]:
    """Give up the attempt, and with the last one allowed the cycle; nothing where it is not open."""
    opened, policy = state.round, state.cycle.request.cohort
    if opened is None or (opened.round, opened.attempt) != (round_, attempt):
        return []
    abandoned = RoundAbandoned(round_, attempt, len(state.reports), policy.minimum, reason[:MAX_REASON])
    if attempt < policy.attempts:
        return [abandoned]
    tried = f"round {round_} was abandoned {attempt} times, at last since {reason}"
    return [abandoned, CycleFailed(round_, tried[:MAX_REASON])]


def aggregated(state: Cycle, round_: int, attempt: int, new: NewModel) -> list[CycleEvent]:
    """The updates of the open attempt became a model; nothing where they did before.

    Raises:
        ImpossibleEvent: that attempt is not open, and was not aggregated.
    """
    last = state.aggregated
    if last is not None and (last.round, last.attempt) == (round_, attempt):
        return []
    check_open(state, round_, attempt)
    inside = [report for report in state.reports if report.client not in set(new.excluded)]
    return [
        RoundAggregated(
            round=round_,
            attempt=attempt,
            rule=state.cycle.request.strategy.name,
            entered=entered(inside),
            clients=len(inside),
            excluded=tuple(sorted(new.excluded)),
            model=new.model,
            digest=new.digest,
            state=new.state,
            loss=new.loss,
            accuracy=new.accuracy,
            drift=new.drift,
            sent_bytes=sum(report.bytes for report in state.reports),
            raw_bytes=sum(report.raw_bytes for report in state.reports),
            privacy=new.privacy,
            evidence=new.evidence,
        )
    ]


def close(state: Cycle, version: str) -> list[CycleEvent]:
    """The model of the last round is published as `version`; nothing where the cycle has ended.

    Raises:
        ImpossibleEvent: a round is missing.
    """
    last = state.aggregated
    if state.ended:
        return []
    if last is None or state.level is None or state.next_round <= state.cycle.request.rounds:
        raise ImpossibleEvent("rounds", f"{len(state.figures)} are done of {state.cycle.request.rounds}")
    return [
        CycleClosed(
            version, last.digest, len(state.participants), state.insights, state.level, len(state.figures)
        )
    ]


def fail(state: Cycle, reason: str) -> list[CycleEvent]:
    """End the cycle without a model; nothing where it has ended, or never began."""
    if state.opened is None or state.ended:
        return []
    return [CycleFailed(state.next_round, reason[:MAX_REASON])]


def withdraw(state: Cycle, reason: str) -> list[CycleEvent]:
    """Take the cycle back, as cancelled in Temporal; nothing where it has ended, or never began."""
    if state.opened is None or state.ended:
        return []
    return [CycleWithdrawn("temporal", reason[:MAX_REASON], len(state.figures))]


def outcome_of(state: Cycle) -> CycleOutcome:
    """The result of a closed cycle.

    Raises:
        ImpossibleEvent: it is not closed.
    """
    if state.closed is None:
        raise ImpossibleEvent("type", "the cycle is not closed")
    return CycleOutcome(
        cycle=state.cycle.request.id,
        participants=state.closed.participants,
        insights_aggregated=state.closed.insights_aggregated,
        privacy_level=state.closed.privacy_level,
        evolution_metrics=state.figures,
        digest=state.closed.digest,
        version=state.closed.version,
    )
