"""Takes recorded decisions again under another policy: which would differ. Reads the log, touches nothing."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from audit.decisions import Passed, stream_events
from audit.docket_check import MODELS
from audit.dockets import DocketRecord
from audit.rulings import Learned, Ruling
from domain.conflict.events import CaseOpened, Resolved, Unresolved
from domain.conflict.replay import replay as replay_case
from domain.consensus.crowd import Crowd
from domain.consensus.docket import shown
from domain.consensus.events import Opened
from domain.consensus.policy import Policy
from domain.consensus.replay import replay
from domain.consensus.state import Deliberation
from domain.consensus.whatif import WhatIf, retake
from domain.event import Event
from domain.learning.events import CycleOpened
from domain.refusal import Refusal
from eventlog.reader import LogReader

Change = Mapping[str, Any]
"""Fields of `Policy` that are other than recorded."""


@dataclass(slots=True)
class Retaken:
    """What was decided again.

    `left_out`: single deliberations, from which no model can be learned. `unfit`: those whose fault model
    does not go with the weighting that was asked for. `divergent`: streams whose outcome
    does not follow from their own events, so that there is nothing to compare with. `passed`: records that
    were left out, and streams that stop before their end.
    """

    decisions: list[WhatIf] = field(default_factory=list)
    left_out: int = 0
    unfit: int = 0
    divergent: list[str] = field(default_factory=list)
    passed: Passed = field(default_factory=Passed)

    @property
    def differing(self) -> list[WhatIf]:
        return [decision for decision in self.decisions if decision.differs]


@dataclass(frozen=True, slots=True)
class _Settled:
    """A decided deliberation and when that was."""

    state: Deliberation
    topic: str
    opened_at: datetime
    decided_at: datetime

    @property
    def ruling(self) -> Ruling:
        decided = self.state.decided
        return Ruling(self.topic, decided.scores if decided else (), self.decided_at)


async def whatif_stream(reader: LogReader, stream: str, change: Change) -> Retaken:
    """One decision again.

    Raises:
        Refusal: there is no such decision, the policy makes no sense, or its weighting needs all (`--all`).
    """
    if change.get("weighting") in ("posterior", "calibrated", "reputation"):
        raise Refusal("--weighting", f"{change['weighting']} learns from other decisions: use --all")
    passed = Passed()
    events = await stream_events(reader, stream, passed)
    if stream in passed.stopped:
        raise Refusal("stream", f"{stream} {passed.stopped[stream]}")
    if isinstance(events[0].data, CycleOpened):
        raise Refusal("stream", f"{stream} is a learning cycle; what can be tried on it is --strategy")
    if not isinstance(events[0].data, Opened):
        raise Refusal("stream", f"{stream} is no deliberation; name one of its items, or use --all")
    state, divergence = replay(events)
    if divergence is not None:
        raise Refusal("stream", f"{stream} diverges at event {divergence.event_id}: see `moot audit replay`")
    return Retaken([_retake(state, change)], passed=passed)


async def whatif_all(
    streams: AsyncIterator[list[Event]], change: Change, passed: Passed | None = None
) -> Retaken:
    """Every settled decision again; all of them are held in memory, some 10 kB each.

    Under `reputation` a decision is weighed by what the rulings before its opening, also those of cases,
    said of its voters; under `posterior` and `calibrated` by the model of its docket. `change` has to be a
    policy's by itself.
    """
    settled: list[_Settled] = []
    cases: list[Ruling] = []
    divergent: list[str] = []
    records: dict[str, DocketRecord] = {}
    async for events in streams:
        opened = events[0].data
        if isinstance(opened, CaseOpened):
            case, divergence = replay_case(events)
            if divergence is not None:
                divergent.append(events[0].stream)
            elif isinstance(case.outcome, Resolved | Unresolved):
                cases.append(Ruling(opened.case.topic, case.outcome.scores, events[-1].time))
        if isinstance(opened, Opened):
            state, divergence = replay(events)
            if divergence is not None:
                divergent.append(events[0].stream)
                continue
            if state.decided is None:
                continue  # withdrawn: there is no decision to take again
            settled.append(_Settled(state, opened.proposal.topic, events[0].time, events[-1].time))
            if opened.docket is not None:
                records.setdefault(opened.docket, DocketRecord()).take(events)
    found = _retaken(settled, cases, records, change)
    found.divergent, found.passed = divergent, passed or Passed()
    return found


def _goes_with(policy: Policy, change: Change) -> bool:
    try:
        replace(policy, **change)
    except Refusal:
        return False
    return True


def _retaken(
    settled: Sequence[_Settled],
    cases: Sequence[Ruling],
    records: Mapping[str, DocketRecord],
    change: Change,
) -> Retaken:
    fit = [one for one in settled if _goes_with(one.state.policy, change)]
    match change.get("weighting"):
        case "posterior" | "calibrated" as weighting:
            found = _by_model(fit, _posteriors(records, weighting), change)
        case "reputation":
            found = _by_reputation(fit, [*cases, *(one.ruling for one in settled)], change)
        case _:
            found = Retaken([_retake(one.state, change) for one in fit])
    found.unfit = len(settled) - len(fit)
    return found


def _by_model(
    settled: Sequence[_Settled], posteriors: Mapping[str, Mapping[str, float]], change: Change
) -> Retaken:
    found = Retaken()
    for one in settled:
        posterior = posteriors.get(one.state.proposal.id) if one.state.proposal else None
        if posterior is None:
            found.left_out += 1
        else:
            found.decisions.append(_retake(one.state, change, posterior=posterior))
    return found


def _posteriors(records: Mapping[str, DocketRecord], weighting: str) -> dict[str, dict[str, float]]:
    """By the id of each item's deliberation."""
    found = {}
    for docket, record in records.items():
        table = record.table()
        if table is None:
            continue
        model = MODELS[weighting](Crowd.of(table))
        for row, item in enumerate(record.in_order()):
            probabilities = zip(table.choices, model.posterior[row].tolist(), strict=True)
            found[f"{docket}.{item.index}"] = shown(dict(probabilities))
    return found


def _by_reputation(fit: Sequence[_Settled], said: Sequence[Ruling], change: Change) -> Retaken:
    """In the order of their openings, each weighed by the rulings that were known at that moment."""
    found, known = Retaken(), Learned(said)
    for one in sorted(fit, key=lambda one: one.opened_at):
        voters = [seat.voter for seat in one.state.panel]
        weights = known.weights(one.topic, voters, one.opened_at)
        found.decisions.append(_retake(one.state, change, weights=weights))
    return found


def _retake(
    state: Deliberation,
    change: Change,
    *,
    weights: Mapping[str, float] | None = None,
    posterior: Mapping[str, float] | None = None,
) -> WhatIf:
    """Weights as recorded where the change names no weighting, and where they are stakes."""
    policy: Policy = replace(state.policy, **change)
    if weights is None and ("weighting" not in change or policy.fault_model == "stake"):
        weights = {seat.voter: seat.weight for seat in state.panel}
    if posterior is None and "weighting" not in change and state.decided is not None:
        posterior = state.decided.posterior
    return retake(state, policy, weights=weights, posterior=posterior)
