"""`moot conflict` refuses what it can before it asks any server, and says what it found in lines."""

import json

import pytest

from cli import conflict_view
from cli.main import main

POSITIONS = [{"id": "p1", "party": "ann", "claim": "9"}, {"id": "p2", "party": "bob", "claim": "7"}]
GOOD = {"id": "c", "regions": ["eu"], "positions": POSITIONS}
CHANGES = {
    "no case": ([], "moot: "),
    "an unknown level": ({"level": 7}, "moot: Unknown resolution level: 7"),
    "one position": (
        {"positions": [{"id": "a", "party": "ann", "claim": "1"}]},
        "moot: positions: 1 given, 2 to 40 are needed",
    ),
    "no region": ({"regions": []}, "moot: regions: none given; name the home region first"),
    "a critical case below 4": (
        {"critical": True, "level": 2},
        "moot: level: 2 is below 4, where every critical case begins; leave it out",
    ),
    "an unknown field": ({"colour": "red"}, "moot: colour: is not a field here"),
    "a node with slashes": ({"node": "../etc"}, "moot: node: '../etc' is not 1 to 128 letters"),
    "severity": ({"severity": 2}, "moot: severity: 2.0 is outside 0 to 1"),
}


@pytest.fixture(autouse=True)
def nowhere(monkeypatch, tmp_path):
    """No server is named, so that a case which is let through is refused for that alone."""
    for name in ("TEMPORAL_ADDRESS", "TEMPORAL_PROFILE", "TEMPORAL_CONFIG_FILE", "FOLKMOOT_DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("FOLKMOOT_DATA", str(tmp_path))
    monkeypatch.chdir(tmp_path)


def said(capsys, *args: str, code: int = 1) -> str:
    """The one line on standard error; nothing may be on standard output."""
    assert main(["conflict", *args]) == code
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    return err[:-1]


@pytest.mark.parametrize("name", CHANGES)
def test_a_bad_case_is_refused_before_any_server_is_asked(capsys, tmp_path, name):
    changes, line = CHANGES[name]
    file = tmp_path / "case.json"
    file.write_text(json.dumps({**GOOD, **changes} if changes else []))
    refused = said(capsys, "open", str(file))
    assert refused.startswith(line)
    assert "TEMPORAL_ADDRESS" not in refused


def test_a_good_case_gets_as_far_as_the_missing_server(capsys, tmp_path):
    file = tmp_path / "case.json"
    file.write_text(json.dumps(GOOD))
    assert said(capsys, "open", str(file)).startswith("moot: TEMPORAL_ADDRESS: not set")


@pytest.mark.parametrize(
    ("args", "line"),
    [
        (["open", "absent.json"], "moot: FILE: absent.json cannot be read: No such file or directory"),
        (["show", "../etc"], "moot: ID: '../etc' is not 1 to 128 letters"),
        (["watch", "a b"], "moot: ID: 'a b' is not 1 to 128 letters"),
        (["appeal", "c", "--as", "a b", "--grounds", "g"], "moot: party: 'a b' is not 1 to 128 letters"),
        (["appeal", "c", "--as", "ann", "--grounds", " "], "moot: grounds: is empty"),
        (["rule", "c", "--verdict", "a", "--reason", "", "--as", "me"], "moot: reason: is empty"),
        (["show", ""], "moot: ID: '' is not 1 to 128 letters"),
        (["watch", "\u202ec"], "moot: ID: '\\u202ec' is not 1 to 128 letters"),
        (
            ["appeal", "c", "--as", "ann", "--grounds", "g" * 65_536],
            "moot: grounds: 65536 characters are too many, at most 2000",
        ),
        (
            ["appeal", "c", "--as", "ann", "--grounds", "\x1b[2J"],
            "moot: grounds: holds a control character",
        ),
        (
            ["rule", "c", "--verdict", "v" * 201, "--reason", "r", "--as", "me"],
            "moot: verdict: 201 characters are too many, at most 200",
        ),
        (["rule", "c", "--verdict", "a", "--reason", "r", "--as", "\x07"], "moot: person: holds a control"),
        (
            ["annul", "c", "--as", "ann", "--ground", "no_reasons", "--statement", "s" * 1_601],
            "moot: statement: 1601 characters are too many, at most 1600",
        ),
        (
            ["annul", "a/b", "--as", "ann", "--ground", "no_reasons", "--statement", "s"],
            "moot: ID: 'a/b' is not",
        ),
    ],
)
def test_a_wrong_argument_is_refused_by_name(capsys, args, line):
    assert said(capsys, *args).startswith(line)


@pytest.mark.parametrize(
    ("args", "line"),
    [
        (["list", "--status", "nonsense"], "'nonsense' is not one of"),
        (["list", "--level", "5"], "5 is not in the range 1<=x<=4"),
        (["list", "--limit", "0"], "0 is not in the range 1<=x<=10000"),
        (["appeal", "c", "--as", "ann"], "Missing option '--grounds'"),
        (["rule", "c", "--verdict", "a", "--reason", "r"], "Missing option '--as'"),
        (["show"], "Missing argument 'ID'"),
        (["open"], "Missing argument 'FILE'"),
        (["appeal", "c", "ann", "--as", "ann", "--grounds", "g"], "unexpected extra argument"),
        (["settle", "c"], "No such command 'settle'"),
    ],
)
def test_what_no_command_takes_is_refused_as_usage(capsys, args, line):
    assert line in said(capsys, *args, code=2)


def test_annulment_has_five_grounds_and_no_sixth(capsys):
    args = ["annul", "c", "--as", "ann", "--ground", "dislike", "--statement", "s"]
    assert "'dislike' is not one of" in said(capsys, *args, code=2)


def row(stream="conflict/c", status="appealable", ended=None, **changes):
    return {
        "stream": stream,
        "status": status,
        "ended": ended,
        "level": 2,
        "region": "eu",
        "question": "How many beds are free?",
        "resolution": None,
        "closed_at": None,
        **changes,
    }


def test_cases_are_listed_a_line_each_and_one_that_was_ended_says_so():
    lines = conflict_view.rows([row(), row("conflict/longer", ended="terminated")], 2, 60).splitlines()
    assert lines[0].split() == ["stream", "status", "level", "region", "question"]
    assert lines[1].startswith("conflict/c       appealable      2  eu      How many")
    assert lines[2].startswith("conflict/longer  terminated      2  eu")
    assert lines[3] == "the newest 2; --limit shows more"
    assert conflict_view.rows([], 5, 80) == "no case is known to the read model"


def test_a_case_that_temporal_forgot_is_told_from_the_tables():
    ruled = {"level": 2, "choice": "p1", "resolution": "nine beds", "authority": "consensus"}
    told = [{"type": "conflict.ruled.v1", "data": ruled}]
    assert conflict_view.recorded(row(state=told)).splitlines() == [
        "How many beds are free?",
        "Level 2: consensus ruled p1.",
        "Not closed when the tables were last written: appealable.",
    ]
    closed = row(state=told, resolution="nine\x1b beds", closed_at="2026-01-01")
    assert conflict_view.recorded(closed).splitlines()[-1] == "Resolved at level 2: nine\\x1b beds."
    failed = [{"type": "conflict.unresolved.v1", "data": {"reason": "Conflict resolution failed"}}]
    assert conflict_view.recorded(row(state=failed, closed_at="2026")).endswith("resolution failed")


def test_a_repeated_command_is_told_from_one_that_was_written():
    assert conflict_view.told({"event_ids": ["e1"]}, "ruled") == "ruled, event e1"
    assert conflict_view.told({"event_ids": []}, "ruled") == "ruled before; nothing was written"


def test_a_result_names_its_level_and_every_reason():
    data = {
        "id": "c",
        "resolution": "7",
        "level_used": 4,
        "authority": "person",
        "final_authority": True,
        "escalations": 1,
        "reasons": ["level 3: appeal: bob: unread", "I counted them"],
    }
    untold = {**data, "unapplied": "regions: topic context.eu\x1b is not there"}
    assert conflict_view.result(untold).endswith("  not applied: regions: topic context.eu\\x1b is not there")
    assert conflict_view.result(data).splitlines() == [
        "c: 7",
        "  level 4 by person, finally, 1 escalation",
        "  level 3: appeal: bob: unread",
        "  I counted them",
    ]
