"""A worker says where its numbers are, and when Temporal leaves and is back."""

import asyncio
import os
import signal

import pytest
from structlog.testing import capture_logs
from temporalio.service import RPCError, RPCStatusCode

from domain.refusal import Refusal
from workers import serving


class Answers:
    """A client whose server answers as it is told to, once each, and then well for ever."""

    def __init__(self, *answers):
        self.service_client = self
        self._answers = [*answers]
        self.well = asyncio.Event()

    async def check_health(self, *, timeout):  # noqa: ASYNC109 # as the SDK has it
        assert timeout.total_seconds() > 0
        if not self._answers:
            self.well.set()
            return True
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


GONE = RPCError("connection refused", RPCStatusCode.UNAVAILABLE, b"")


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ([True], []),
        ([True, GONE, GONE, GONE, True], [("server.away", "connection refused"), ("server.back", None)]),
        ([False], [("server.away", "it says of itself that it does not serve"), ("server.back", None)]),
    ],
)
async def test_temporal_is_said_to_be_away_once_and_back_once(monkeypatch, answers, said):
    monkeypatch.setattr(serving, "LOOK_EVERY", 0)
    client = Answers(*answers)
    with capture_logs() as lines:
        looking = asyncio.create_task(serving.look_after_temporal(client))
        await asyncio.wait_for(client.well.wait(), 5)
        await asyncio.sleep(0)
        looking.cancel()
    assert [(line["event"], line.get("cause")) for line in lines] == said
    assert {line["server"] for line in lines} <= {"temporal"}


def test_a_free_port_for_metrics_is_told():
    with capture_logs() as lines:
        assert serving.runtime("127.0.0.1:0") is not None
    (line,) = lines
    assert line["event"] == "worker.metrics"
    assert int(line["address"].removeprefix("http://127.0.0.1:").removesuffix("/metrics")) > 0


@pytest.mark.parametrize("place", ["nowhere", "127.0.0.1:99999", "256.0.0.1:0"])
def test_a_place_where_nothing_can_be_served_is_refused(place):
    with pytest.raises(Refusal, match="nothing can be served"):
        serving.runtime(place)


class Working:
    """A worker that polls until it is shut down."""

    task_queue = "node.edge-1"

    def __init__(self):
        self.client, self.over = Answers(), asyncio.Event()

    async def run(self):
        await self.over.wait()

    async def shutdown(self):
        self.over.set()


class Company:
    def __init__(self, fault=None):
        self.fault, self.happened = fault, []

    async def keep(self):
        self.happened.append("kept")
        if self.fault:
            raise self.fault
        os.kill(os.getpid(), signal.SIGTERM)
        try:
            await asyncio.Event().wait()
        finally:
            self.happened.append("let go")

    async def leave(self):
        self.happened.append("left")


async def test_what_is_done_beside_is_told_when_the_worker_is_told_to_stop():
    company = Company()
    await asyncio.wait_for(serving.serve(Working(), lambda: None, company), 5)
    assert sorted(company.happened) == ["kept", "left", "let go"]


async def test_a_fault_beside_ends_the_worker_and_nobody_leaves():
    company, working = Company(Refusal("--id", "taken")), Working()
    with pytest.raises(Refusal, match="taken"):
        await asyncio.wait_for(serving.serve(working, lambda: None, company), 5)
    assert working.over.is_set()
    assert company.happened == ["kept"]
