"""The log first, and nothing on it that could not have happened."""

import asyncio
from datetime import UTC, datetime

import pytest
from pydantic_core import to_json
from temporalio import workflow

from domain.consensus.commands import OpenDeliberation, Voter
from domain.consensus.decide import open_deliberation
from domain.consensus.events import BallotSealed
from domain.consensus.state import NOT_OPENED, fold_all
from domain.refusal import ImpossibleEvent
from domain.stream import Draft
from workflows.recording import Recording, parts, request

STREAM = "consensus/q"
AT = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def appended(monkeypatch):
    """The versions that reach the log, which answers after a while; outside a workflow."""
    versions = []

    async def append(_, entries, **__):
        await asyncio.sleep(0)
        versions.extend(entry.version for entry in entries.entries)

    monkeypatch.setattr(workflow, "now", lambda: AT)
    monkeypatch.setattr(workflow, "execute_activity_method", append)
    return versions


@pytest.fixture
async def recording(appended):
    recording = Recording("decisions", Draft(STREAM, "test", STREAM, "run"), NOT_OPENED, fold_all)
    command = OpenDeliberation("q", "Which?", ("a", "b"), (Voter("x"), Voter("y")))
    await recording.record(lambda _: open_deliberation(command), "open")
    assert appended == [1]
    return recording


async def test_what_could_not_have_happened_never_reaches_the_log(recording, appended):
    with pytest.raises(ImpossibleEvent, match="not on the panel"):
        await recording.record(lambda _: [BallotSealed("nobody", 1, "00")], "seal")
    assert appended == [1]
    await recording.record(lambda _: [BallotSealed("x", 1, "00")], "seal")
    assert appended == [1, 2]


async def test_what_was_appended_is_kept_before_the_next_decision_is_taken(recording):
    order = []

    async def seal(voter: str) -> None:
        def write(_, draft, at):
            order.append(f"decide {voter}")
            return draft.events([BallotSealed(voter, 1, "00")], at)

        await recording.record_drafted(write, "seal", lambda events: order.append(f"keep {len(events)}"))

    await asyncio.gather(seal("x"), seal("y"))
    assert order == ["decide x", "keep 1", "decide y", "keep 1"]


@pytest.mark.parametrize("size", [1, 300, 30_000])
def test_each_append_of_many_events_fits_a_payload_of_256_kib(size):
    data = BallotSealed("v" * 100, 1, "0" * size)
    events = Draft(STREAM, "source", STREAM, "r" * 36).events([data] * (1_000_000 // (size + 300)), AT)
    cut = [*parts(events)]
    assert [event for part in cut for event in part] == list(events)
    sizes = [len(to_json(request("decisions", part))) for part in cut]
    assert all(100 * 1024 < one < 256 * 1024 for one in sizes[:-1])
    assert sizes[-1] < 256 * 1024
