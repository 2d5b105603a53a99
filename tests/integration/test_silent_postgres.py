"""A Postgres that takes connections and says nothing, as one that was stopped or whose machine hangs."""

import asyncio

import pytest

from cli.status import _human
from projections import connection
from projections.connection import connect
from projections.queries import Queries
from workers import health, settings


@pytest.fixture
async def silent():
    """The URL of a server that never answers."""
    gone = asyncio.Event()

    async def listen(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await gone.wait()
        writer.close()

    server = await asyncio.start_server(listen, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    yield f"postgresql://somebody:secret@127.0.0.1:{port}/x"
    gone.set()
    server.close()


def place(url: str) -> str:
    return url.partition("@")[2].partition("/")[0]


async def test_who_connects_is_told_which_server_is_silent_and_no_password(silent):
    with pytest.raises(TimeoutError) as error:
        await connect(silent, within=0.2)
    assert str(error.value) == f"Postgres at {place(silent)} does not answer within 0.2 s"


async def test_who_takes_one_of_several_connections_is_told_the_same(silent, monkeypatch):
    monkeypatch.setattr(connection, "_WITHIN", 0.2)
    async with connection.pool(silent, most=1) as connections:
        with pytest.raises(TimeoutError, match=f"Postgres at {place(silent)} does not answer within 0.2 s"):
            await connections.acquire()


async def test_who_asks_the_read_tables_is_told_which_server_is_silent(silent):
    async with Queries(silent) as queries:
        with pytest.raises(TimeoutError, match=f"Postgres at {place(silent)} does not answer"):
            await queries.last_event("consensus/one")


async def test_status_does_not_take_what_it_could_not_ask_for_what_is_not_there(silent, tmp_path):
    nowhere = {"FOLKMOOT_KAFKA": "127.0.0.1:1", "TEMPORAL_ADDRESS": "127.0.0.1:1"}
    report = await health.examine(settings.load(tmp_path, {**nowhere, "FOLKMOOT_DATABASE_URL": silent}))
    said = _human(report)
    assert said.count("unknown: Postgres cannot be asked") == 3
    assert "none" not in said
    assert "nothing" not in said
