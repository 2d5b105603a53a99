"""What an event of a learning cycle says, in one line for people.

A `file` is named by the SHA-256 of its bytes; the `digest` of a model is over its tensors, whatever the file.
"""

from collections.abc import Iterable
from typing import assert_never

from domain.counting import counted
from domain.learning.events import (
    CycleClosed,
    CycleEvent,
    CycleFailed,
    CycleOpened,
    CycleWithdrawn,
    PrivacyMetadata,
    RoundAbandoned,
    RoundAggregated,
    RoundOpened,
    UpdatesCollected,
)

_FEW, _SHORT = 8, 12


def said_of_cycle(data: CycleEvent) -> str:  # noqa: PLR0911 # a line for each kind of event
    """One line; of a cohort the first few, since its event has all. It quotes what nodes wrote: escape it."""
    match data:
        case CycleOpened():
            return _opened(data)
        case RoundOpened():
            asked = few(member.client for member in data.cohort)
            return (
                f"{_round(data)}: {len(data.cohort):,} of {data.eligible:,} eligible are asked: {asked};"
                f" drawn from roster file {data.roster.sha256}, given model file {data.model.sha256}"
            )
        case UpdatesCollected():
            return _collected(data)
        case RoundAbandoned():
            return f"{_round(data)} is abandoned: {data.reason} ({data.reported:,} of {data.minimum:,})"
        case RoundAggregated():
            return _aggregated(data)
        case CycleClosed():
            rounds = f"{counted(data.insights_aggregated, 'update')} in {counted(data.rounds, 'round')}"
            return (
                f"published as {data.version}, model digest {data.digest}:"
                f" {counted(data.participants, 'participant')}, {rounds},"
                f" privacy level {data.privacy_level}"
            )
        case CycleFailed():
            return f"failed in round {data.round}, no version follows: {data.reason}"
        case CycleWithdrawn():
            why = data.reason or "no reason was given"
            done = counted(data.rounds, "round")
            return f"withdrawn after {done}, no version follows; {data.authority} was asked to cancel: {why}"
        case _:
            assert_never(data)


def few(names: Iterable[str]) -> str:
    """The first eight, and how many more there are."""
    every = list(names)
    more = f" and {len(every) - _FEW:,} more" if len(every) > _FEW else ""
    return ", ".join(every[:_FEW]) + more


def _opened(data: CycleOpened) -> str:
    request = data.request
    begins = f"from version {data.parent}" if data.parent is not None else "from a fresh model"
    return (
        f"{request.trainer.name} trains {request.model} for {counted(request.rounds, 'round')} {begins},"
        f" model file {data.model.sha256}; rule {request.strategy.name}, privacy {request.privacy.method},"
        f" at least {counted(request.cohort.minimum, 'report')} a round, seed {request.seed};"
        f" rows of '{request.data.name}' from {data.since:%Y-%m-%d %H:%M} to {data.until:%Y-%m-%d %H:%M};"
        f" code {data.code[:_SHORT]}, data schema {data.data_schema[:_SHORT] or 'unknown'}"
    )


def _collected(data: UpdatesCollected) -> str:
    told = [f"{len(data.reports):,} reported"]
    if data.reports:
        told[0] += ": " + few(f"{report.client} file {report.sha256[:_SHORT]}" for report in data.reports)
    if data.lost:
        why = (f"{one.client} {one.why}" + (f" ({one.reason})" if one.reason else "") for one in data.lost)
        lost = few(why)
        told.append(f"{len(data.lost):,} lost: {lost}")
    return f"{_round(data)}: {'; '.join(told)}"


def _aggregated(data: RoundAggregated) -> str:
    out = f", left out {few(data.excluded)}" if data.excluded else ""
    evidence = f"; evidence file {data.evidence.sha256}" if data.evidence is not None else ""
    return (
        f"{_round(data)}: {data.rule} makes a model of {counted(data.clients, 'update')}"
        f" with digest {data.entered}{out}: model digest {data.digest}, model file {data.model.sha256};"
        f" loss {figure(data.loss)}, accuracy {figure(data.accuracy)}, drift {figure(data.drift)};"
        f" {data.sent_bytes:,} bytes sent against {data.raw_bytes:,} raw; {_privacy(data.privacy)}{evidence}"
    )


def _privacy(data: PrivacyMetadata) -> str:
    if data.epsilon is None:
        return f"privacy {data.method}"
    return f"privacy {data.method}, epsilon {data.epsilon:.4g} at delta {figure(data.delta)}"


def _round(data: RoundOpened | UpdatesCollected | RoundAbandoned | RoundAggregated) -> str:
    return f"round {data.round}" + (f", attempt {data.attempt}" if data.attempt > 1 else "")


def figure(value: float | None) -> str:
    """Four digits of it."""
    return "unknown" if value is None else f"{value:.4g}"
