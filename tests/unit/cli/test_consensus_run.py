"""What `moot consensus` says while it waits."""

from types import SimpleNamespace
from typing import Any

import pytest

from cli import consensus_run
from domain.consensus.commands import OpenDeliberation, RecordedBallot, Voter
from domain.consensus.policy import Policy

ADA = Voter("ada", ballots=(RecordedBallot("a"),))


async def waited(monkeypatch: pytest.MonkeyPatch, *voters: Voter, policy: Policy) -> None:
    async def anything(*_: Any) -> Any:
        return SimpleNamespace(id="consensus/q", first_execution_run_id="run")

    for name in ("_client", "_start", "_result"):
        monkeypatch.setattr(consensus_run, name, anything)
    await consensus_run.decide(OpenDeliberation("q", "Which?", ("a", "b"), voters, policy=policy))


async def test_whoever_waits_for_people_is_told_that_it_has_begun(monkeypatch, capsys):
    begun = "started consensus/q; follow it with `moot consensus watch q`\n"
    await waited(monkeypatch, ADA, Voter("bob", "external"), policy=Policy())
    await waited(monkeypatch, ADA, policy=Policy(otherwise="person"))
    assert capsys.readouterr().err == begun * 2
    await waited(monkeypatch, ADA, policy=Policy())
    assert capsys.readouterr().err == ""
