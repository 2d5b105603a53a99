"""The postmaster dies while a session is busy and does not notice: it comes back all the same."""

import asyncio
import os
import signal

import asyncpg
import pytest

from tests.faults.positions import until
from workers.embedded import ports
from workers.embedded.postgres import Postgres
from workers.embedded.supervised import Supervised

BUSY = "SELECT count(*) FROM generate_series(1::bigint, 100000000000)"  # for longer than any test
BACK_WITHIN = 10.0


@pytest.fixture
def server(tmp_path, guard):
    part = Postgres(tmp_path / "postgres", ports.free())
    server = Supervised(part, tmp_path / "postgres.log", guard, os.environ, lambda *_: None)
    server.start()
    try:
        server.wait_until_ready()
        yield server
    finally:
        server.stop()


async def test_a_server_killed_under_a_long_query_is_back_at_once_with_what_was_committed(server):
    url, killed = server.part.url(), server.pid
    connection = await asyncpg.connect(url)
    await connection.execute("CREATE TABLE word AS SELECT 'kept' AS word")
    busy = asyncio.create_task(connection.execute(BUSY))
    watcher = await asyncpg.connect(url)

    async def is_busy():
        return await watcher.fetchval("SELECT count(*) FROM pg_stat_activity WHERE query = $1", BUSY) == 1

    await until(is_busy, "the query runs")
    os.kill(killed, signal.SIGKILL)
    watcher.terminate()

    async def is_back():
        assert server.problem is None, server.problem
        return server.ready and server.pid != killed

    await until(is_back, "the server is back", BACK_WITHIN)
    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
        await busy
    again = await asyncpg.connect(url)
    assert await again.fetchval("SELECT word FROM word") == "kept"
    await again.close()
