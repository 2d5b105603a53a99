"""The docket's activities over conforming fakes."""

import json
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from temporalio.testing import ActivityEnvironment

from activities.docket import DocketWork
from activities.docket_tasks import CloseDocket, DecideSlice, DocketResults, PrepareDocket
from domain.consensus.docket import DecideDocketRequest, RecordedLabel
from domain.consensus.policy import Policy
from domain.consensus.replay import replay
from domain.refusal import Refusal
from tests.fakes.artifacts import MemoryArtifacts
from tests.fakes.event_log import MemoryLog
from tests.fakes.read_model import MemoryReadModel

AT = datetime(2026, 1, 1, tzinfo=UTC)
PATIENTS = Path(__file__).parents[3] / "examples" / "anaesthetists" / "ballots.csv"


class Office:
    """The activities over an empty log, store and read model."""

    def __init__(self, failure=None):
        self.log, self.artifacts = MemoryLog(), MemoryArtifacts()
        self.work = DocketWork(self.log, self.artifacts, MemoryReadModel(failure=failure))

    async def request(self, **fields):
        table = await self.artifacts.put(PATIENTS.read_bytes())
        return DecideDocketRequest(id="d", table=table, **fields)

    async def decide(self, request):
        """Every step of a docket, as the workflow takes them."""
        prepared = await ActivityEnvironment().run(self.work.prepare_docket, PrepareDocket(request, AT))
        task = DecideSlice(request, prepared, 0, prepared.items, AT, "docket/d", "run")
        part = await ActivityEnvironment().run(self.work.decide_slice, task)
        close = CloseDocket(request, prepared, (part.outcomes,))
        ref = await ActivityEnvironment().run(self.work.close_docket, close)
        results = msgspec.json.decode(await self.artifacts.get(ref), type=DocketResults)
        return prepared, task, part, results


async def test_the_anaesthetists_are_decided_as_dawid_and_skene_found():
    office = Office()
    prepared, _, part, results = await office.decide(
        await office.request(policy=Policy(weighting="posterior"))
    )
    assert (prepared.items, prepared.voters, prepared.choices) == (45, 5, ("1", "2", "3", "4"))
    assert results.model.log_likelihood == pytest.approx(-192.8909, abs=1e-3)
    overruled = [line.item for line in results.items if line.majority and line.leading != line.majority]
    assert overruled == ["2", "36"]
    assert sum(part.statuses.values()) == 45
    assert all(sum(line.posterior.values()) == pytest.approx(1, abs=1e-6) for line in results.items)


@pytest.mark.parametrize("weighting", ["equal", "reputation", "posterior", "calibrated"])
async def test_every_item_has_its_own_stream_that_replays(weighting):
    office = Office()
    await office.decide(await office.request(policy=Policy(weighting=weighting)))
    for index in range(45):
        events = office.log.stream(f"consensus/d.{index}")
        state, divergence = replay(events)
        assert divergence is None, divergence
        assert state.item == str(index + 1)
        assert state.decided is not None


async def test_a_retried_slice_appends_the_very_same_events():
    office = Office()
    _, task, _, _ = await office.decide(await office.request())
    once = list(office.log.appended)
    await ActivityEnvironment().run(office.work.decide_slice, task)
    assert office.log.appended[len(once) :] == once


async def test_rows_given_inline_decide_like_a_table():
    office = Office()
    rows = tuple(
        RecordedLabel("i", voter, "a" if voter != "v3" else "b") for voter in ("v1", "v2", "v3", "v4")
    )
    _, _, _, results = await office.decide(DecideDocketRequest(id="d", ballots=rows))
    (line,) = results.items
    assert (line.consensus, line.agreement, line.posterior) == ("a", 0.75, {"a": 0.75, "b": 0.25})


async def test_a_tie_is_stated_and_never_broken():
    office = Office()
    rows = (RecordedLabel("i", "v1", "a"), RecordedLabel("i", "v2", "b"))
    _, _, _, results = await office.decide(DecideDocketRequest(id="d", ballots=rows))
    (line,) = results.items
    assert (line.consensus, line.leading, line.tied) == (None, None, ("a", "b"))
    assert (line.majority, line.majority_tied, line.status) == (None, ("a", "b"), "unresolved")


async def test_a_database_that_is_away_stops_only_who_asks_for_reputations():
    away = Office(failure=OSError("away"))
    await away.decide(await away.request())
    with pytest.raises(OSError, match="away"):
        await away.decide(await away.request(policy=Policy(weighting="reputation")))


async def test_a_table_that_was_changed_in_the_store_is_refused_by_its_digest():
    office = Office()
    request = await office.request()
    office.artifacts.damage(request.table)
    with pytest.raises(Refusal, match="another SHA-256"):
        await ActivityEnvironment().run(office.work.prepare_docket, PrepareDocket(request, AT))


async def test_the_results_are_the_object_that_programs_read():
    office = Office()
    _, _, _, results = await office.decide(await office.request(policy=Policy(weighting="posterior")))
    found = json.loads(msgspec.json.encode(results))
    assert {"items", "voters", "model"} <= set(found)
    wanted = {
        "item",
        "consensus",
        "leading",
        "status",
        "agreement",
        "posterior",
        "majority",
        "rounds_required",
    }
    assert wanted <= set(found["items"][0])
    assert {"voter", "ballots", "reputation", "accuracy"} <= set(found["voters"][0])
    assert {"log_likelihood", "marginals", "iterations"} <= set(found["model"])
