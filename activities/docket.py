"""The work of a docket: read the table, estimate, decide slices of it, sum up."""

import asyncio
from collections import Counter
from datetime import datetime

import msgspec
from temporalio import activity

from activities.docket_slices import Slices
from activities.docket_tasks import (
    CloseDocket,
    DecidedSlice,
    DecideSlice,
    DocketResults,
    ModelSummary,
    PreparedDocket,
    PrepareDocket,
)
from activities.ports import ArtifactStore, EventLog, Reputations
from domain.artifact import ArtifactRef
from domain.consensus import docket_estimate
from domain.consensus.account import accounts
from domain.consensus.ballot_table import BallotTable
from domain.consensus.docket import DecideDocketRequest, ItemOutcome, check_table
from domain.consensus.docket_estimate import DocketEstimate, estimate_docket
from domain.consensus.events import ReputationsRead


class DocketWork:
    """Decides through the injected log and artifact store."""

    def __init__(self, log: EventLog, artifacts: ArtifactStore, reputations: Reputations) -> None:
        self._log = log
        self._artifacts = artifacts
        self._reputations = reputations
        self._slices = Slices(artifacts)

    @activity.defn(name="prepare_docket")
    async def prepare_docket(self, task: PrepareDocket) -> PreparedDocket:
        """Read the table, refuse what cannot be decided, and estimate what the policy's weighting needs.

        Raises:
            Refusal: the table cannot be read, or the policy cannot decide it; one line.
        """
        request = task.request
        ref = request.table or await self._artifacts.put(_jsonl(request))
        table = await self._slices.table(ref)
        check_table(table, request.policy)
        standings, read = await self._standings(request, table, task.at)
        estimate = await asyncio.to_thread(estimate_docket, table, request.policy, standings)
        stored = await self._artifacts.put(await asyncio.to_thread(docket_estimate.to_bytes, estimate))
        return PreparedDocket(
            ref, len(table.items), len(table.voters), table.choices, stored, _summary(estimate), read
        )

    @activity.defn(name="decide_slice")
    async def decide_slice(self, task: DecideSlice) -> DecidedSlice:
        """Decide a slice and append its events. A retry appends the same events; readers drop them."""
        events, outcomes = await self._slices.decide(task)
        await self._log.append("decisions", events)
        statuses = Counter(outcome.status for outcome in outcomes)
        stored = await self._artifacts.put(msgspec.json.encode(outcomes))
        return DecidedSlice(task.first, task.last, len(events), dict(sorted(statuses.items())), stored)

    @activity.defn(name="close_docket")
    async def close_docket(self, task: CloseDocket) -> ArtifactRef:
        """Store the results: one outcome per item, in the table's order, and each voter's account."""
        items: list[ItemOutcome] = []
        for ref in task.outcomes:
            items += msgspec.json.decode(await self._artifacts.get(ref), type=list[ItemOutcome])
        table = await self._slices.table(task.prepared.table)
        estimate = await self._slices.estimate(task.prepared.estimate)
        accuracies = None if estimate.model is None else estimate.model.accuracies().tolist()
        voters = accounts(table, [item.consensus for item in items], accuracies, estimate.standings)
        results = DocketResults(task.request.id, items, voters, task.prepared.model)
        return await self._artifacts.put(msgspec.json.encode(results))

    async def _standings(
        self, request: DecideDocketRequest, table: BallotTable, at: datetime
    ) -> tuple[dict[str, tuple[float, float]], ReputationsRead | None]:
        moment = at.timestamp()
        try:
            found = await self._reputations.standings(request.topic, table.voters, moment)
        except (OSError, TimeoutError):
            if request.policy.weighting == "reputation":
                raise
            return {}, None  # only the voters' accounts would begin from them: no reason to wait
        known = {voter: (standing.alpha, standing.beta) for voter, standing in found.voters.items()}
        return known, ReputationsRead(moment, found.offsets)


def _jsonl(request: DecideDocketRequest) -> bytes:
    return b"\n".join(msgspec.json.encode(label) for label in request.ballots)


def _summary(estimate: DocketEstimate) -> ModelSummary | None:
    model = estimate.model
    if model is None:
        return None
    marginals = dict(zip(estimate.choices, model.marginals.tolist(), strict=True))
    return ModelSummary(model.method, model.log_likelihood, marginals, model.iterations, model.converged)
