"""Cases that Temporal's own command brings and speaks to: good ones, bad ones, and text that does harm."""

import asyncio
import json
import uuid

from tests.integration.workflows.cases import LONG, case, member
from tests.integration.workflows.processes import DEADLINE
from workers.embedded.temporal import executable

CROWD = [member(number) for number in range(45)]
NASTY = "\u202e[click](http://evil) | **now** <script>\u2066"
LONGEST = 64 * 1024
AT_ONCE = asyncio.Semaphore(4)


def name():
    return f"cli-{uuid.uuid4().hex[:8]}"


def changed(**changes):
    return {**case(name(), CROWD), **changes}


def positions(**changes):
    first, second = case("c")["positions"]
    return [first | changes, second]


BAD = {
    "no object": ([], "input: must be an object"),
    "no positions": ({"id": "x", "regions": ["eu"]}, "positions: is missing"),
    "one position": (changed(positions=positions()[:1]), "positions: 1 given, 2 to 40 are needed"),
    "a position twice": (changed(positions=positions()[:1] * 2), "positions: an id stands twice: p1"),
    "no region": (changed(regions=[]), "regions: none given"),
    "a region of blanks": (changed(regions=["  "]), "regions"),
    "an unknown kind": (changed(kind="war"), "kind: must be"),
    "an unknown layer": (changed(layer="eternal"), "layer: must be"),
    "an unknown field": (changed(colour="red"), "colour: is not a field here"),
    "severity above 1": (changed(severity=1.01), "severity: 1.01 is outside 0 to 1"),
    "severity as text": (changed(severity="0.5"), "severity: must be a number"),
    "critical as a number": (changed(critical=1), "critical: must be"),
    "level 7": (changed(level=7), "Unknown resolution level: 7"),
    "a critical case below 4": (changed(critical=True, level=2), "level: 2 is below 4"),
    "an id with slashes": (changed(id="../../etc"), "id: '../../etc' is not 1 to 128"),
    "an id too long": (changed(id="x" * 101), "id: 101 characters are too many, at most 100"),
    "a node with blanks": (changed(node="a b"), "node: 'a b' is not 1 to 128"),
    "a party with markup": (changed(positions=positions(party="[a](b)")), "positions[0].party: "),
    "a terminal's escape in a claim": (
        changed(positions=positions(claim="\x1b[2J")),
        "positions[0].claim: holds a control character",
    ),
    "a claim of 64 KiB": (
        changed(positions=positions(claim="c" * LONGEST)),
        "positions[0].claim: 65536 characters are too many, at most 1600",
    ),
    "evidence of 64 KiB": (
        changed(evidence=[{"id": "e1", "text": "e" * LONGEST}]),
        "evidence[0].text: 65536 characters are too many, at most 1600",
    ),
    "evidence that is none": (
        changed(positions=positions(evidence=["e9"])),
        "positions[0].evidence: 'e9' is no piece",
    ),
    "a write of no number": (
        changed(positions=positions(dot={"node": "n", "counter": 0})),
        "positions[0].dot.counter: 0 is outside 1",
    ),
    "another layer's entry": (
        changed(context={"layer": "cultural", "key": "k"}),
        "context.layer: cultural is not the layer of the case, situational",
    ),
    "a threshold above 1": (
        changed(policy={"threshold": 2}),
        "policy.threshold: 2.0 is outside above 0 to 1",
    ),
    "a deadline policy of none": (
        changed(policy={"after_deadline": "never"}),
        "policy.after_deadline: must be",
    ),
    "a member twice": (changed(members=[{"id": "m"}, {"id": "m"}]), "members: a member stands twice: m"),
    "a NUL": (changed(question="a\u0000b"), "question: holds a NUL"),
    "a lone surrogate": (changed(question="\ud800"), "question: holds a lone surrogate"),
    "300 KiB": (changed(question="q" * 300_000), "input: "),
    "a topic of nothing": (changed(topic=""), "topic: is empty"),
    "a thousand others": (changed(others=[f"o{n}" for n in range(1_000)]), "others: 1000 given, at most 100"),
}


async def temporal(stack, *args):
    """Exit status, and everything that was printed."""
    process = await asyncio.create_subprocess_exec(
        executable(),
        *args,
        "--address",
        stack.environ["TEMPORAL_ADDRESS"],
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await asyncio.wait_for(process.communicate(), DEADLINE)
    return process.returncode, out.decode()


async def brought(stack, tmp_path, request):
    """The exit status of the command that started a case with this input and waited, and what it said."""
    file = tmp_path / f"{uuid.uuid4().hex}.json"
    file.write_text(json.dumps(request))
    asked = ("--type", "ResolveConflict", "--task-queue", "folkmoot", "--input-file", str(file))
    async with AT_ONCE:
        return await temporal(stack, "workflow", "execute", *asked)


async def test_a_good_case_is_resolved_and_each_bad_one_fails_in_one_line_with_nothing_on_the_log(
    stack, tmp_path
):
    wrong = []
    async with stack.worker():
        good = changed()
        code, said = await brought(stack, tmp_path, good)
        assert (code, '"level_used":2' in said.replace(" ", "")) == (0, True), said
        assert [event.type for event in await stack.events(f"conflict/{good['id']}")][-1] == (
            "conflict.resolved.v1"
        )
        answers = await asyncio.gather(*(brought(stack, tmp_path, request) for request, _ in BAD.values()))
        for (what, (request, line)), (code, said) in zip(BAD.items(), answers, strict=True):
            if code == 0 or line not in said or "Traceback" in said or "\x1b[2J" in said:
                wrong.append((what, code, said[-600:]))
            if isinstance(request, dict) and await stack.events(f"conflict/{request['id']}"):
                wrong.append((what, "left something on the log"))
    assert wrong == [], "\n".join(map(str, wrong))


WRONG = {
    "no field": ("appeal", {}, "party: is missing"),
    "a further field": ("appeal", {"party": "ann", "grounds": "g", "level": 4}, "level: is not a field here"),
    "a stranger": ("appeal", {"party": "mallory", "grounds": "g"}, "mallory is no party to case"),
    "a party with markup": ("appeal", {"party": "[a](b)", "grounds": "g"}, "party: '[a](b)' is not 1 to 128"),
    "grounds of blanks": ("appeal", {"party": "ann", "grounds": "  "}, "grounds: is empty"),
    "grounds of 64 KiB": (
        "appeal",
        {"party": "ann", "grounds": "g" * LONGEST},
        "grounds: 65536 characters are too many, at most 2000",
    ),
    "an escape in grounds": (
        "appeal",
        {"party": "ann", "grounds": "\x1b]0;x\x07"},
        "grounds: holds a control character",
    ),
    "a verdict that nobody asked for": (
        "verdict",
        {"verdict": "p1", "reason": "r", "person": "Pat"},
        "verdict: no person is asked now",
    ),
    "a reason of nothing": ("verdict", {"verdict": "p1", "reason": "", "person": "Pat"}, "reason: is empty"),
    "a sixth ground": (
        "annul",
        {"party": "ann", "ground": "dislike", "statement": "s"},
        "ground: must be",
    ),
    "an annulment below level 4": (
        "annul",
        {"party": "ann", "ground": "no_reasons", "statement": "s"},
        "no ruling of level 4 stands",
    ),
    "a growth of nothing that is a position": ("grow", {"positions": [{"id": "p9"}]}, "is missing"),
    "an id twice": (
        "grow",
        {"positions": [{"id": "p1", "party": "cem", "claim": "8"}]},
        "positions: an id stands twice: p1",
    ),
}


async def test_an_update_that_cannot_be_taken_is_refused_in_one_line_and_leaves_the_case_as_it_was(stack):
    request = changed(policy={**LONG, "weighting": "equal"})
    stream, wrong = f"conflict/{request['id']}", []
    async with stack.worker():
        await stack.json("conflict", "open", "-", stdin=json.dumps(request).encode())
        async with asyncio.timeout(DEADLINE):
            while (await stack.json("conflict", "show", request["id"]))["status"] != "appealable":
                pass
        before = await stack.events(stream)
        for what, (update, command, line) in WRONG.items():
            code, said = await temporal(
                stack, "workflow", "update", "execute", "--workflow-id", stream, "--name", update,
                "--input", json.dumps(command),
            )  # fmt: skip
            if code == 0 or line not in said or "Traceback" in said or "\x1b" in said:
                wrong.append((what, code, said[-600:]))
        assert await stack.events(stream) == before
        taken = json.dumps({"party": "bob", "grounds": NASTY})
        code, said = await temporal(
            stack, "workflow", "update", "execute", "--workflow-id", stream, "--name", "appeal",
            "--input", taken,
        )  # fmt: skip
        assert code == 0, said
        await temporal(stack, "workflow", "cancel", "--workflow-id", stream)
    assert wrong == [], "\n".join(map(str, wrong))


async def test_text_that_would_do_harm_is_on_the_log_as_it_was_and_nowhere_shown_raw(stack, client):
    request = changed(
        question=NASTY,
        topic=NASTY,
        regions=["eu", NASTY],
        positions=[one | {"claim": f"{one['id']} {NASTY}"} for one in positions()],
        evidence=[{"id": "e1", "text": NASTY}],
        policy={**LONG, "weighting": "equal"},
        severity=0.9,
    )
    stream = f"conflict/{request['id']}"
    code, _, err = await stack.moot("migrate")
    assert code == 0, err
    async with stack.worker(), stack.worker("projector"):
        opened = await stack.moot("conflict", "open", "-", stdin=json.dumps(request).encode())
        async with asyncio.timeout(DEADLINE):
            while (await stack.json("conflict", "show", request["id"]))["status"] != "appealable":
                pass
            while not await stack.json("conflict", "list"):
                pass
        appealed = await stack.moot("conflict", "appeal", request["id"], "--as", "ann", "--grounds", NASTY)
        handle = client.get_workflow_handle(stream)
        details = (await handle.query("__temporal_workflow_metadata")).current_details
        await handle.cancel(reason=NASTY)
        told = [
            opened,
            appealed,
            await stack.moot("conflict", "watch", request["id"]),
            await stack.moot("conflict", "show", request["id"]),
            await stack.moot("conflict", "list"),
            await stack.moot("audit", "trail", stream),
            await stack.moot("events", "tail"),
        ]
        async with asyncio.timeout(DEADLINE):
            while not await stack.json("conflict", "list", "--status", "withdrawn"):
                pass
        replayed = await stack.json("audit", "replay", stream)
        rebuilt = await stack.moot("rebuild", "--all", "--verify")
    (first, *_) = await stack.events(stream)
    assert first.data.case.question == NASTY
    assert (replayed["agrees"], replayed["withdrawn"], replayed["cases"]) == (True, 1, 0), replayed
    assert rebuilt[0] == 0, rebuilt
    for _, out, err in told:
        assert "\u202e" not in out + err
        assert "\u2066" not in out + err
    assert told[3][1].splitlines()[-1].startswith("Withdrawn, nothing is decided")
    assert "\\u202e" in details
    for raw in ("\u202e", "\u2066", "[click](", "**now**", "<script>"):
        assert raw not in details
