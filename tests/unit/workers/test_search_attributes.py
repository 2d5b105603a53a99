"""Search attributes where Temporal's operator API is closed, as Temporal Cloud has it."""

from types import SimpleNamespace

import pytest
from temporalio.service import RPCError, RPCStatusCode

from cli.migrate import _human
from workers import search_attributes
from workers.migrate import Migrated

CLOSED = [RPCStatusCode.UNIMPLEMENTED, RPCStatusCode.PERMISSION_DENIED]


class Service:
    """Answers every operator's request with one status."""

    def __init__(self, status):
        self._status = status

    def __getattr__(self, name):
        async def refuse(_):
            raise RPCError(f"{name} is closed", self._status, b"")

        return refuse


def client(status):
    return SimpleNamespace(namespace="cloud", operator_service=Service(status))


@pytest.mark.parametrize("status", CLOSED)
async def test_a_closed_service_is_told_from_one_that_fails(status):
    with pytest.raises(search_attributes.NotOurs):
        await search_attributes.register(client(status))


async def test_a_service_that_fails_is_no_closed_one():
    with pytest.raises(RPCError, match="is closed"):
        await search_attributes.register(client(RPCStatusCode.UNAVAILABLE))


def test_what_is_to_be_added_by_hand_is_said_in_the_last_line():
    done = Migrated((), "0004", "0004", (), search_attributes.described())
    last = _human(done).splitlines()[-1]
    assert last == (
        "search attributes  this Temporal takes none from us: add with its own tool, if they are not there"
        " yet, FolkmootKind (Keyword), FolkmootRegion (Keyword), FolkmootStatus (Keyword),"
        " FolkmootLevel (Int)"
    )
    assert _human(Migrated((), "1", "1", ())).endswith("search attributes  all there already")
