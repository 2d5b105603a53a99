"""How the projector process ends."""

import asyncio
from contextlib import suppress

import pytest

from domain.refusal import Refusal
from workers import projector
from workers.projecting import Projecting
from workers.settings import Settings

DEADLINE = 5.0


class Deaf:
    """A sealer that a first cancel does not end."""

    async def run(self, stop):
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        assert stop.is_set()
        await asyncio.Event().wait()


async def test_a_sealer_that_hangs_keeps_no_projector_alive_that_has_failed(monkeypatch, tmp_path):
    async def refused(*_):
        await asyncio.sleep(0)
        raise Refusal("postgres", "there is no table")

    monkeypatch.setattr(Projecting, "project", refused)
    monkeypatch.setattr(projector, "_sealer", lambda _: Deaf())
    monkeypatch.setattr(projector, "STOP_WITHIN", 0.05)
    settings = Settings("", "", "", "default", "c", "", "", "", tmp_path)
    async with asyncio.timeout(DEADLINE):
        with pytest.raises(Refusal, match="there is no table"):
            await projector.run(settings, lambda: None)
