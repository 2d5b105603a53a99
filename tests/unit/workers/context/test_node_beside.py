"""Who writes by a node of another process is never left waiting by it."""

import asyncio

import pytest

from workers import node_beside
from workers.node_beside import NodeBeside, NodeGone
from workers.node_messages import Answer, received, send


async def beside(tmp_path, answering):
    server = await asyncio.start_unix_server(answering, tmp_path / "door")
    return server, NodeBeside("eu-1", *await asyncio.open_unix_connection(tmp_path / "door"))


async def test_a_node_that_hangs_is_told_by_name_and_not_waited_for_without_end(tmp_path, monkeypatch):
    monkeypatch.setattr(node_beside, "_ANSWER_WITHIN", 0.02)

    async def hangs(_, writer):
        await asyncio.sleep(5)
        writer.close()

    server, node = await beside(tmp_path, hangs)
    for ask in (node.marks(), node.drained(0.01)):
        with pytest.raises(NodeGone, match=r"node eu-1 has not answered for 0\.0[23] s"):
            await ask
    node.close()
    server.close()


async def test_a_drain_goes_on_as_long_as_something_moves(tmp_path):
    answers = [Answer(left=2, moved=True), Answer(left=1, moved=True), Answer(left=1, waiting_for="Kafka")]

    async def drains(reader, writer):
        for answer in answers:
            await received(reader)
            await send(writer, answer)
        writer.close()

    server, node = await beside(tmp_path, drains)
    assert (await node.drained(1), node.waiting_for) == (1, "Kafka")
    node.close()
    server.close()
