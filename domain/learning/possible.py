"""What could not have happened: the rules an event of a cycle must keep to follow from those before it."""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Protocol

from domain.learning.events import (
    CycleClosed,
    CycleOpened,
    Report,
    RoundAbandoned,
    RoundAggregated,
    RoundOpened,
    UpdatesCollected,
)
from domain.learning.privacy_level import PrivacyLevel
from domain.learning.selection import allowed, is_poisson
from domain.refusal import ImpossibleEvent

MAX_REPORTS = 100
"""In one `UpdatesCollected`."""


class SoFar(Protocol):
    """What the events before came to: `domain.learning.state.Cycle`."""

    @property
    def cycle(self) -> CycleOpened: ...
    @property
    def round(self) -> RoundOpened | None: ...
    @property
    def reports(self) -> tuple[Report, ...]: ...
    @property
    def told(self) -> frozenset[str]: ...
    @property
    def aggregated(self) -> RoundAggregated | None: ...
    @property
    def next_round(self) -> int: ...
    @property
    def next_attempt(self) -> int: ...
    @property
    def participants(self) -> frozenset[str]: ...
    @property
    def insights(self) -> int: ...
    @property
    def level(self) -> PrivacyLevel | None: ...


def entered(reports: Iterable[Report]) -> str:
    """SHA-256 (hex) over the sorted digests of the updates that enter a model, a line each."""
    digests = sorted(report.sha256 for report in reports)
    return hashlib.sha256("".join(f"{digest}\n" for digest in digests).encode()).hexdigest()


def check_opening(data: CycleOpened) -> None:
    names = [spec.name for spec in data.schema]
    if not names or names != sorted(set(names)):
        raise ImpossibleEvent("schema", "it is empty, not sorted, or names a tensor twice")
    if data.since >= data.until:
        raise ImpossibleEvent("since", "the time of the rows ends before it begins")


def check_round(state: SoFar, data: RoundOpened) -> None:
    request, last = state.cycle.request, state.aggregated
    if state.round is not None:
        raise ImpossibleEvent("round", f"round {data.round} was opened while {state.round.round} was open")
    check_same("round", data.round, state.next_round)
    check_same("attempt", data.attempt, state.next_attempt)
    check_same("model", data.model, state.cycle.model if last is None else last.model)
    if data.round > request.rounds or data.attempt > request.cohort.attempts:
        raise ImpossibleEvent("round", f"round {data.round}, attempt {data.attempt} is one too many")
    clients = [member.client for member in data.cohort]
    if clients != sorted(set(clients)):
        raise ImpossibleEvent("cohort", "it is not sorted, or names a client twice")
    if is_poisson(request.privacy):
        return  # lots decide how many
    if not request.cohort.minimum <= len(clients) <= allowed(data.eligible, request.cohort.share):
        raise ImpossibleEvent("cohort", f"{len(clients)} of {data.eligible} is not what the policy allows")


def check_collected(state: SoFar, data: UpdatesCollected) -> None:
    opened = check_open(state, data.round, data.attempt)
    told = [*(one.client for one in data.reports), *(one.client for one in data.lost)]
    if not told or len(data.reports) > MAX_REPORTS:
        raise ImpossibleEvent("reports", f"{len(data.reports)} reports, at most {MAX_REPORTS}, and not none")
    if len(set(told)) != len(told) or not state.told.isdisjoint(told):
        raise ImpossibleEvent("reports", "a client is told of twice")
    if not {member.client for member in opened.cohort}.issuperset(told):
        raise ImpossibleEvent("reports", "a client is told of that was not asked")


def check_abandoned(state: SoFar, data: RoundAbandoned) -> None:
    check_open(state, data.round, data.attempt)
    check_same("reported", data.reported, len(state.reports))
    check_same("minimum", data.minimum, state.cycle.request.cohort.minimum)


def check_aggregated(state: SoFar, data: RoundAggregated) -> RoundOpened:
    """The round that became a model."""
    opened, request = check_open(state, data.round, data.attempt), state.cycle.request
    check_same("rule", data.rule, request.strategy.name)
    if len(state.reports) < request.cohort.minimum:
        raise ImpossibleEvent("clients", f"{len(state.reports)} reports, {request.cohort.minimum} are needed")
    _check_excluded(state.reports, data)
    return opened


def _check_excluded(reports: Sequence[Report], data: RoundAggregated) -> None:
    left_out = set(data.excluded)
    if len(left_out) != len(data.excluded) or not {report.client for report in reports} >= left_out:
        raise ImpossibleEvent("excluded", "a client twice, or one that did not report")
    inside = [report for report in reports if report.client not in left_out]
    check_same("clients", data.clients, len(inside))
    check_same("entered", data.entered, entered(inside))


def check_closing(state: SoFar, data: CycleClosed) -> None:
    last = state.aggregated
    if last is None or state.round is not None or state.next_round <= state.cycle.request.rounds:
        raise ImpossibleEvent("rounds", "closed before the last round became a model")
    check_same("digest", data.digest, last.digest)
    check_same("participants", data.participants, len(state.participants))
    check_same("insights_aggregated", data.insights_aggregated, state.insights)
    check_same("privacy_level", data.privacy_level, state.level)
    check_same("rounds", data.rounds, last.round)


def check_open(state: SoFar, round_: int, attempt: int) -> RoundOpened:
    """The attempt that is open, if it is that one."""
    opened = state.round
    if opened is None or (opened.round, opened.attempt) != (round_, attempt):
        raise ImpossibleEvent("round", f"round {round_}, attempt {attempt} is not open")
    return opened


def check_same(field: str, said: object, follows: object) -> None:
    if said != follows:
        raise ImpossibleEvent(field, f"{said} is recorded where {follows} follows from the events before it")
