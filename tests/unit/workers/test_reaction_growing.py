"""An open case is told what it does not hold; one that is silent or refuses stops no reactor."""

import asyncio
from functools import reduce

import pytest
from temporalio.client import WorkflowUpdateFailedError, WorkflowUpdateRPCTimeoutOrCancelledError
from temporalio.service import RPCError, RPCStatusCode

from domain.causality.causal_context import Dot
from domain.conflict.coalescing import KeyRecord
from domain.conflict.reaction import Reaction
from domain.context.state import fold
from projections.reaction_queries import Undecided
from tests.unit.domain.context.given import wrote
from workers.reaction_growing import Growing

WRITES = [wrote("eu-1:1", 9), wrote("us-1:1", 7), wrote("us-2:1", 5)]
FOUND = Undecided("context/eu.k", "eu", "situational", "k", "eu-1:1,us-1:1,us-2:1", ())
LATER = FOUND._replace(version=f"{FOUND.version},us-3:1")


class Tables:
    async def records(self, keys, gone):  # noqa: ARG002 # as the tables are asked
        return dict.fromkeys(keys, KeyRecord("c-1", frozenset({Dot("eu-1", 1), Dot("us-1", 1)})))

    async def entries(self, streams):
        return dict.fromkeys(streams, reduce(fold, WRITES, None))


class Case:
    """What answers an update: the error given, or nothing; `asked` are the updates."""

    def __init__(self, error=None, *, hangs=False):
        self.error, self.hangs, self.asked = error, hangs, []
        self.began = asyncio.Event()

    def get_workflow_handle(self, stream):
        assert stream == "conflict/c-1"
        return self

    async def execute_update(self, name, command, *, rpc_timeout):
        assert rpc_timeout.total_seconds() > 0
        self.began.set()
        self.asked.append((name, [position.id for position in command.positions]))
        try:
            if self.hangs:
                await asyncio.Event().wait()
        except asyncio.CancelledError as error:  # as the SDK does
            raise WorkflowUpdateRPCTimeoutOrCancelledError from error
        if self.error is not None:
            raise self.error


async def tell(growing, case):
    if untold := growing.untold([FOUND]):
        await growing.tell(Tables(), case, untold)


async def test_a_case_is_told_of_the_write_that_it_does_not_hold():
    case = Case()
    await tell(Growing(Reaction()), case)
    assert case.asked == [("grow", ["us-2-1"])]


async def test_a_case_that_is_silent_is_told_again():
    growing, case = Growing(Reaction()), Case(WorkflowUpdateRPCTimeoutOrCancelledError())
    await tell(growing, case)
    await tell(growing, case)
    assert len(case.asked) == 2


async def test_a_reactor_that_is_stopped_while_a_case_answers_stops():
    case = Case(hangs=True)
    telling = asyncio.create_task(tell(Growing(Reaction()), case))
    await asyncio.wait_for(case.began.wait(), 5)
    telling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await telling


@pytest.mark.parametrize(
    "error",
    [
        WorkflowUpdateFailedError(ValueError("full")),
        RPCError("it has ended", RPCStatusCode.NOT_FOUND, b""),
    ],
)
async def test_what_a_case_refused_it_is_not_told_again_until_there_is_more(error):
    growing, case = Growing(Reaction()), Case(error)
    await tell(growing, case)
    await tell(growing, case)
    assert len(case.asked) == 1
    assert growing.untold([LATER]) == [LATER]
    assert growing.untold([]) == []


async def test_a_temporal_that_is_away_is_said_to_be():
    with pytest.raises(RPCError):
        await tell(Growing(Reaction()), Case(RPCError("away", RPCStatusCode.UNAVAILABLE, b"")))


async def test_a_write_that_was_replaced_meanwhile_is_left_to_the_next_look():
    case = Case()
    gone = FOUND._replace(version=f"{FOUND.version},us-9:9")
    await Growing(Reaction()).tell(Tables(), case, [gone])
    assert case.asked == []
