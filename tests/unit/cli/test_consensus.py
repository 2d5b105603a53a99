"""`moot consensus` refuses what it can before it asks any server, in one line."""

import json

import pytest

from cli.main import main

GOOD = {"id": "q", "question": "Which?", "options": ["a", "b"], "voters": [{"id": "v"}], "policy": {}}
BALLOT = ("ballot", "q", "--voter", "v", "--choice")
TEXTS = {
    "not json": b"{",
    "a list": b"[]",
    "null": b"null",
    "an empty object": b"{}",
    "not a number": b'{"policy": {"threshold": NaN}}',
    "deep": b"[" * 100_000 + b"]" * 100_000,
    "two objects": b"{}{}",
    "a key twice": b'{"id": "x", "id": "y", "question": "q", "options": ["a", "b"]}',
    "5 MB": json.dumps({**GOOD, "question": "q" * 5_000_000}).encode(),
    "not UTF-8": b'{"id": "\xff"}',
}
CHANGES = {
    "no options": {"options": []},
    "an option twice": {"options": ["a", "a"]},
    "threshold as text": {"policy": {"threshold": "0.75"}},
    "a billion rounds": {"policy": {"max_rounds": 10**9}},
    "an unknown field": {"colour": "red"},
    "slashes": {"id": "../../etc"},
    "a NUL": {"id": "a\u0000b"},
    "a lone surrogate": {"question": "\ud800"},
    "a terminal's command": {"\x1b[2J": 1},
    "more seats than voters": {"policy": {"panel_size": 3}},
    "too few for byzantine": {"policy": {"fault_model": "byzantine", "faults": 1}},
    "too many live ballots": {"voters": [{"id": f"v{n}", "kind": "external"} for n in range(1901)]},
}


@pytest.fixture(autouse=True)
def nowhere(monkeypatch, tmp_path):
    """No server is named, so that a proposal which is let through is refused for that alone."""
    for name in ("TEMPORAL_ADDRESS", "TEMPORAL_PROFILE", "TEMPORAL_CONFIG_FILE", "FOLKMOOT_DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("FOLKMOOT_DATA", str(tmp_path))
    monkeypatch.chdir(tmp_path)


def said(capsys, *args: str, code: int = 1) -> str:
    """The one line on standard error; nothing may be on standard output."""
    assert main(["consensus", *args]) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert err.endswith("\n")
    line = err[:-1]
    assert line.isprintable()
    assert len(line) <= 510
    return line


@pytest.mark.parametrize("name", [*TEXTS, *CHANGES])
def test_a_bad_proposal_is_refused_before_any_server_is_asked(capsys, tmp_path, name):
    file = tmp_path / "proposal.json"
    file.write_bytes(TEXTS.get(name) or json.dumps({**GOOD, **CHANGES.get(name, {})}).encode())
    line = said(capsys, "start", str(file))
    assert line.startswith("moot: ")
    assert "TEMPORAL_ADDRESS" not in line


def test_a_good_proposal_gets_as_far_as_the_missing_server(capsys, tmp_path):
    file = tmp_path / "proposal.json"
    file.write_text(json.dumps(GOOD))
    assert said(capsys, "start", str(file)).startswith("moot: TEMPORAL_ADDRESS: not set")


@pytest.mark.parametrize(
    ("args", "line"),
    [
        (["start", "absent.json"], "moot: FILE: absent.json cannot be read: No such file or directory"),
        (["start", "."], "moot: FILE: . cannot be read: Is a directory"),
        (["show", "../etc"], "moot: ID: '../etc' is no deliberation's id; see `moot consensus list`"),
        (["watch", "a b"], "moot: ID: 'a b' is not 1 to 128 letters"),
        (["ballot", "q", "--voter", "v", "--choice", " "], "moot: choice: is empty"),
        (
            ["ballot", "q", "--voter", "v", "--choice", "a", "--confidence", "2"],
            "moot: confidence: 2.0 is outside",
        ),
        (
            ["ballot", "q", "--voter", "v", "--choice", "a", "--confidence", "nan"],
            "moot: confidence: nan is outside",
        ),
        (["rule", "q", "--choice", "a", "--reason", "", "--as", "me"], "moot: reason: is empty"),
    ],
)
def test_a_wrong_argument_is_refused_by_name(capsys, args, line):
    assert said(capsys, *args).startswith(line)


@pytest.mark.parametrize(
    "args", [["ballot", "q", "--voter", "v"], ["ballot", "q", "--voter", "v", "--choice", "a", "--abstain"]]
)
def test_a_ballot_is_either_a_choice_or_an_abstention(capsys, args):
    assert "give either --choice or --abstain" in said(capsys, *args, code=2)
