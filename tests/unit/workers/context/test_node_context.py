"""A node's numbers tell when it has not its outbox."""

import asyncio
import tempfile
from types import SimpleNamespace

import pytest

from workers import node_context
from workers.deciding import Rules
from workers.node_door import door


class Meter:
    """Keeps every value of every gauge."""

    def __init__(self):
        self.seen = {}

    def with_additional_attributes(self, _):
        return self

    def create_gauge(self, name, *_):
        return SimpleNamespace(set=self.seen.setdefault(name, []).append)

    create_gauge_float = create_gauge


class Client:
    """An outbox that cannot be opened the first time, and is found damaged the first time it is looked at."""

    waiting, opened = 0, 0

    def __init__(self, *_, **__):
        pass

    async def __aenter__(self):
        Client.opened += 1
        if Client.opened == 1:
            raise OSError("taken")
        return self

    async def __aexit__(self, *_):
        pass

    async def waiting_seconds(self):
        if Client.opened == 2:
            raise OSError("damaged")
        return 0.0


async def test_whether_the_outbox_is_open_is_a_number_of_its_own(monkeypatch, tmp_path):
    monkeypatch.setattr(node_context, "ContextClient", Client)
    meter = Meter()
    (tmp_path / "context" / "eu").mkdir(parents=True)
    async with node_context.kept(SimpleNamespace(data=tmp_path), "eu", "eu-1", Rules(), meter):
        async with asyncio.timeout(10):
            while meter.seen.get("context_outbox_open") != [0, 0, 1, 0, 1]:  # noqa: ASYNC110 # a gauge gives no signal
                await asyncio.sleep(0.01)


async def test_a_door_that_cannot_be_announced_leaves_nothing(monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(FileNotFoundError):
        async with door(Client(), tmp_path / "none" / "eu-1.db"):
            pass
    assert list(tmp_path.iterdir()) == []
