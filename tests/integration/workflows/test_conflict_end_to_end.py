"""A case by the `moot` command over real processes: appealed, ruled by a person, projected, audited."""

import asyncio
import json
import re
import signal
import urllib.request
import uuid

import pytest

from domain.conflict.events import Resolved
from domain.conflict.fold import fold_all
from domain.conflict.state import NO_CASE
from tests.integration.workflows.cases import LONG, case, member
from tests.integration.workflows.processes import DEADLINE
from workers.embedded import ports

CROWD = [member(number) for number in range(45)]


@pytest.fixture
async def audited(stack):
    """The stack with its tables made, and a key that signs."""
    stack.environ |= {"FOLKMOOT_SIGNING_KEY": str(stack.data / "key"), "FOLKMOOT_CLUSTER": "test"}
    code, _, err = await stack.moot("migrate")
    assert code == 0, err
    return stack


async def until(stack, case_id, **wanted):
    async with asyncio.timeout(DEADLINE):
        shown = {}
        while any(shown.get(name) != value for name, value in wanted.items()):
            shown = await stack.json("conflict", "show", case_id)
    return shown


def _read(address):
    with urllib.request.urlopen(address, timeout=DEADLINE) as answer:  # noqa: S310 # our own worker's
        return answer.read().decode()


def request(**changes):
    name = f"e2e-{uuid.uuid4().hex[:8]}"
    return name, json.dumps(case(name, CROWD, **changes)).encode()


async def test_a_case_is_appealed_projected_and_audited(audited):
    name, text = request(policy={**LONG, "global_appeal_seconds": 0, "weighting": "reputation"})
    async with audited.worker(), audited.worker("projector"):
        opened = await audited.json("conflict", "open", "-", stdin=text)
        assert opened["workflow_id"] == f"conflict/{name}"
        again = await audited.moot("conflict", "open", "-", stdin=text)
        await until(audited, name, status="appealable", level=2)
        stranger = await audited.moot("conflict", "appeal", name, "--as", "mallory", "--grounds", "g")
        code, said, _ = await audited.moot("conflict", "appeal", name, "--as", "bob", "--grounds", "unread")
        code_, out, _ = await audited.moot("conflict", "watch", name, "--json")
        late = await audited.moot("conflict", "appeal", name, "--as", "ann", "--grounds", "late")
        closed = await audited.moot(
            "conflict", "rule", name, "--verdict", "p1", "--reason", "r", "--as", "Pat"
        )
        events = await audited.events(f"conflict/{name}")
        async with asyncio.timeout(DEADLINE):
            rows = []
            while not rows:
                rows = await audited.json("conflict", "list", "--status", "resolved")
        trail = await audited.moot("audit", "trail", f"conflict/{name}")
        replayed = await audited.json("audit", "replay", f"conflict/{name}")
        every = await audited.json("audit", "replay", "--all", "--log-only")
        panel = await audited.json("audit", "replay", f"consensus/{name}-level-3")
        rebuilt = await audited.moot("rebuild", "--all", "--verify")
        verified = await audited.moot("audit", "verify")
    assert again[:2] == (1, "")
    assert again[2] == (
        f"moot: id: conflict/{name} was opened before; `moot conflict show {name}` shows it\n"
    )
    assert stranger == (1, "", f"moot: party: mallory is no party to case {name}\n")
    assert (code, said.startswith("appealed, event ")) == (0, True)
    assert (late[0], late[2].startswith("moot: party: the window of level 3 closed at 20")) == (1, True)
    assert closed == (
        1,
        "",
        f"moot: ID: conflict/{name} is resolved; `moot conflict show {name}` tells how\n",
    )
    last = json.loads(out.splitlines()[-1])
    assert (code_, last["status"], last["outcome"]["level_used"]) == (0, "resolved", 3)
    assert isinstance(events[-1].data, Resolved)
    assert fold_all(NO_CASE, events).outcome == events[-1].data
    (row,) = rows
    assert (row["stream"], row["level"], row["choice"]) == (f"conflict/{name}", 3, "p1")
    assert (trail[0], "bob appeals against the ruling of level 2: unread" in trail[1]) == (0, True)
    assert (replayed["agrees"], replayed["cases"], replayed["decisions"]) == (True, 1, 0), replayed
    assert (every["agrees"], every["cases"], every["decisions"]) == (True, 1, 2), every
    assert (panel["agrees"], panel["streams_as_written"]) == (True, 1), panel
    assert rebuilt[0] == 0, rebuilt
    assert verified[0] == 0, verified


async def test_a_person_rules_after_the_orchestrator_was_killed(audited):
    name, text = request(critical=True)
    async with audited.worker() as process:
        await audited.json("conflict", "open", "-", stdin=text)
        await until(audited, name, status="person", level=4)
        process.send_signal(signal.SIGKILL)
        await process.wait()
    metrics = f"127.0.0.1:{ports.free()}"
    async with audited.worker("orchestrator", "--metrics", metrics):
        told = ("conflict", "rule", name, "--reason", "I counted them")
        party = await audited.moot(*told, "--verdict", "p1", "--as", "ann")
        none = await audited.moot(*told, "--verdict", "mauve", "--as", "Pat")
        ruled = await audited.json(*told, "--verdict", "p2", "--as", "Pat")
        code, out, _ = await audited.moot("conflict", "watch", name, "--json")
        measured = await asyncio.to_thread(_read, f"http://{metrics}/metrics")
    assert re.search(
        r'conflict_resolution_time\w*_count\{[^}]*conflict_type="concurrent_write"[^}]*resolution_level="4"',
        measured,
    ), measured
    assert party == (1, "", "moot: person: ann is a party to the case or sat in it\n")
    assert none == (1, "", "moot: verdict: 'mauve' is no position of the case; choose p1, p2\n")
    assert len(ruled["event_ids"]) == 1
    outcome = json.loads(out.splitlines()[-1])["outcome"]
    assert (code, outcome["choice"], outcome["authority"]) == (0, "p2", "person")
    assert outcome["final_authority"] is True


async def test_what_is_not_there_is_refused_in_one_line(audited):
    async with audited.worker():
        for args in (
            ["show", "none-such"],
            ["watch", "none-such"],
            ["appeal", "none-such", "--as", "ann", "--grounds", "g"],
            ["rule", "none-such", "--verdict", "a", "--reason", "r", "--as", "me"],
        ):
            code, out, err = await audited.moot("conflict", *args)
            assert (code, out, len(err.splitlines())) == (1, "", 1)
            assert "conflict/none-such" in err


async def test_a_case_past_level_4_fails_with_every_cause(audited):
    name = f"e2e-{uuid.uuid4().hex[:8]}"
    async with audited.worker():
        code, out, err = await audited.moot(
            "conflict", "open", "-", "--wait", stdin=json.dumps(case(name)).encode()
        )
    assert (code, out) == (1, "")
    assert f"conflict/{name} failed: Conflict resolution failed at all levels: level 2: too few" in err
