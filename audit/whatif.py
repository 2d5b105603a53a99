"""Takes recorded decisions again under another policy: which would differ. Reads the log, touches nothing."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from audit.decisions import Passed, stream_events
from audit.docket_check import MODELS
from audit.dockets import DocketRecord
from domain.consensus import reputation
from domain.consensus.crowd import Crowd
from domain.consensus.docket import shown
from domain.consensus.events import Opened
from domain.consensus.policy import Policy
from domain.consensus.replay import replay
from domain.consensus.reputation import Evidence
from domain.consensus.state import Deliberation
from domain.consensus.whatif import WhatIf, retake
from domain.event import Event
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

    Under `reputation` a decision is weighed by what the rulings before its opening said of its voters; under
    `posterior` and `calibrated` by the model of its docket. `change` has to be a policy's by itself.
    """
    settled: list[_Settled] = []
    divergent: list[str] = []
    records: dict[str, DocketRecord] = {}
    async for events in streams:
        opened = events[0].data
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
    found = _retaken(settled, records, change)
    found.divergent, found.passed = divergent, passed or Passed()
    return found


def _goes_with(policy: Policy, change: Change) -> bool:
    try:
        replace(policy, **change)
    except Refusal:
        return False
    return True


def _retaken(settled: Sequence[_Settled], records: Mapping[str, DocketRecord], change: Change) -> Retaken:
    fit = [one for one in settled if _goes_with(one.state.policy, change)]
    match change.get("weighting"):
        case "posterior" | "calibrated" as weighting:
            found = _by_model(fit, _posteriors(records, weighting), change)
        case "reputation":
            found = _by_reputation(fit, settled, change)
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


def _by_reputation(fit: Sequence[_Settled], settled: Sequence[_Settled], change: Change) -> Retaken:
    """In the order of their openings, each weighed by the rulings that were known at that moment."""
    rulings = sorted(settled, key=lambda one: one.decided_at)
    found, known = Retaken(), 0
    sums: dict[tuple[str, str], Evidence] = {}
    for one in sorted(fit, key=lambda one: one.opened_at):
        while known < len(rulings) and rulings[known].decided_at <= one.opened_at:
            _learn(sums, rulings[known])
            known += 1
        found.decisions.append(_retake(one.state, change, weights=_weights(sums, one)))
    return found


def _learn(sums: dict[tuple[str, str], Evidence], ruling: _Settled) -> None:
    decided = ruling.state.decided
    for score in decided.scores if decided else ():
        key = (ruling.topic, score.voter)
        sums[key] = sums.get(key, Evidence()) + reputation.evidence(score, ruling.decided_at)


def _weights(sums: Mapping[tuple[str, str], Evidence], one: _Settled) -> dict[str, float]:
    found = {}
    for seat in one.state.panel:
        known = sums.get((one.topic, seat.voter), Evidence())
        expected = reputation.mean(*reputation.standing(known.right, known.wrong, one.opened_at))
        found[seat.voter] = reputation.weight(expected)
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
