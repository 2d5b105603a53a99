"""`moot learn` refuses what it can before it asks any server, and says what it found in lines."""

import json
from datetime import timedelta

import numpy as np
import pytest

from cli import learn_input, learn_view
from cli.learn import STATUSES
from cli.learn_progress import Rounds
from cli.main import main
from domain.learning import tensor_file
from domain.learning.events import CycleFailed, CycleWithdrawn, Loss, UpdatesCollected
from projections import learning
from projections.learning import LEARNING_CYCLE, LearningProjection
from projections.tables import STAMPS
from tests.unit.learning_events import aggregated, collected, opened, round_opened, sha, whole, written

GOOD = {"id": "c", "model": "digits", "trainer": {"name": "logistic_regression"}}
COLUMNS = [column.name for column in LEARNING_CYCLE.columns][STAMPS:]
CHANGES = {
    "an unknown field": ({"colour": "red"}, "moot: colour: is not a field here"),
    "no round": ({"rounds": 0}, "moot: rounds: 0 is outside 1 to 1000"),
    "rows of no time at all": (
        {"data": {"days": 1e-300}},
        "moot: data.days: 1e-300 is less than a second; the least is 1/86,400",
    ),
    "a parent in words": (
        {"parent": "the \x1b[31mlast one"},
        "moot: parent: 'the \\x1b[31mlast one' is no version; they are called v1.0, v1.1",
    ),
    "an id with slashes": ({"id": "../etc"}, "moot: id: '../etc' is not 1 to 128 letters"),
    "an unknown privacy method": (
        {"privacy": {"method": "prayer"}},
        "moot: privacy.method: Unknown privacy method: 'prayer'",
    ),
    "an unknown strategy": ({"strategy": {"name": "hope"}}, "moot: strategy: there is no 'hope'; there are"),
    "a strategy for more clients": (
        {"strategy": {"name": "krum"}, "cohort": {"minimum": 3, "share": 1}},
        "moot: strategy: krum needs n >= 2 f + 3",
    ),
    "a cohort that cannot report": (
        {"cohort": {"size": 5, "minimum": 9}},
        "moot: cohort.size: 5 clients cannot give 9 reports",
    ),
}


@pytest.fixture(autouse=True)
def nowhere(monkeypatch, tmp_path):
    """No server is named, so that a cycle which is let through is refused for that alone."""
    for name in ("TEMPORAL_ADDRESS", "TEMPORAL_PROFILE", "TEMPORAL_CONFIG_FILE", "FOLKMOOT_DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("FOLKMOOT_DATA", str(tmp_path))
    monkeypatch.chdir(tmp_path)


def said(capsys, *args: str, code: int = 1) -> str:
    """The one line on standard error; nothing may be on standard output."""
    assert main(["learn", *args]) == code
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    return err[:-1]


def asked(tmp_path, **changes) -> str:
    file = tmp_path / "cycle.json"
    file.write_text(json.dumps({**GOOD, **changes}))
    return str(file)


def rows_file(tmp_path, **arrays) -> str:
    file = tmp_path / "rows.safetensors"
    file.write_bytes(tensor_file.encode(arrays))
    return str(file)


@pytest.mark.parametrize("name", CHANGES)
def test_a_bad_cycle_is_refused_before_any_server_is_asked(capsys, tmp_path, name):
    changes, line = CHANGES[name]
    refused = said(capsys, "start", asked(tmp_path, **changes))
    assert refused.startswith(line)
    assert "TEMPORAL_ADDRESS" not in refused


def test_a_good_cycle_gets_as_far_as_the_missing_server(capsys, tmp_path):
    rows = rows_file(tmp_path, x=np.zeros((3, 2), "float32"), y=np.zeros(3, "int64"))
    for extra in ([], ["--wait"], ["--every", "7d"], ["--holdout", rows]):
        line = said(capsys, "start", asked(tmp_path), *extra)
        assert line.startswith("moot: TEMPORAL_ADDRESS: not set")


BAD_ROWS = {
    "lengths that differ": {"x": np.zeros((3, 2)), "y": np.zeros(2)},
    "no rows": {"x": np.zeros((0, 2)), "y": np.zeros(0)},
    "a single number": {"x": np.float64(1)},
    "nothing": {},
}


@pytest.mark.parametrize("name", BAD_ROWS)
def test_rows_that_cannot_evaluate_anything_are_refused_by_name(capsys, tmp_path, name):
    line = said(capsys, "start", asked(tmp_path), "--holdout", rows_file(tmp_path, **BAD_ROWS[name]))
    assert line.startswith("moot: --holdout: ")
    assert "arrays of one length" in line


def test_a_holdout_may_be_a_file_that_a_node_could_train_on(tmp_path):
    table, csv = tmp_path / "rows.npz", tmp_path / "rows.csv"
    np.savez(table, x=np.array([[1.0, 2.0], [np.nan, 3.0]], "float16"), y=np.array([1, 0], "int8"))
    csv.write_text("x.0,x.1,y,time\n1,2,1,0\n,3,0,0\n")
    for file, kinds in ((table, ["float64", "int64"]), (csv, ["float64", "float64"])):
        rows, _ = tensor_file.decode(learn_input.rows(file), dtypes=tensor_file.ROWS)
        assert (rows["x"].tolist(), rows["y"].tolist()) == ([[1.0, 2.0]], [1])
        assert [rows[name].dtype.name for name in ("x", "y")] == kinds


def test_a_holdout_that_is_no_such_file_or_stands_twice_is_refused(capsys, tmp_path):
    start = ("start", asked(tmp_path), "--holdout")
    assert "absent cannot be read: No such file" in said(capsys, *start, "absent")
    assert "is not a safetensors file" in said(capsys, *start, asked(tmp_path))
    rows = rows_file(tmp_path, x=np.zeros((3, 2)))
    ref = {"uri": "memory://x", "sha256": sha("x"), "bytes": 1}
    assert said(capsys, "start", asked(tmp_path, holdout=ref), "--holdout", rows).startswith("moot: holdout:")


@pytest.mark.parametrize(
    ("text", "length"),
    [("7d", timedelta(days=7)), ("12h", timedelta(hours=12)), ("60s", timedelta(minutes=1))],
)
def test_how_often_is_written_as_people_write_it(text, length):
    assert learn_input.period(text) == length


@pytest.mark.parametrize("text", ["7d", "36h", "90m", "61s"])
def test_a_time_is_told_as_it_is_given(text):
    assert learn_view.written(learn_input.period(text).total_seconds()) == text


@pytest.mark.parametrize("text", ["", "7", "d7", "0d", "1.5h", "59s", "367d", "7d\x1b"])
def test_any_other_time_is_refused(capsys, tmp_path, text):
    assert said(capsys, "start", asked(tmp_path), "--every", text).startswith("moot: --every: ")


@pytest.mark.parametrize(
    ("args", "line"),
    [
        (["start", "x.json", "--every", "7d", "--wait"], "leave --wait out"),
        (["list", "--status", "nonsense"], "'nonsense' is not one of"),
        (["list", "--limit", "0"], "0 is not in the range"),
        (["show"], "Missing argument 'ID'"),
        (["teach"], "No such command 'teach'"),
    ],
)
def test_what_no_command_takes_is_refused_as_usage(capsys, args, line):
    assert line in said(capsys, *args, code=2)


@pytest.mark.parametrize("command", ["show", "watch"])
def test_an_id_that_none_can_be_is_refused(capsys, command):
    assert said(capsys, command, "../etc").startswith("moot: ID: '../etc' is not 1 to 128 letters")


def test_the_statuses_asked_for_are_those_that_rows_have():
    assert STATUSES == learning.STATUSES


def row(data, **changes):
    """As the read model gives it."""
    projection, state = LearningProjection(), None
    for event in written(data):
        state = projection.fold(state, event)
    found = dict(zip(COLUMNS, projection.row(state), strict=True))
    return {"stream": "learning/c", **found, "state": json.loads(found["state"]), "ended": None, **changes}


def test_a_cycle_is_shown_round_by_round_with_its_costs_and_its_end():
    lines = learn_view.shown(row(whole()), 80).splitlines()
    assert lines[0] == "learning/c trains digits by logistic_regression, fedavg, privacy none, 2 rounds"
    assert lines[1].split() == [*learn_view.ROUND_HEAD]
    assert lines[2].split() == ["1", "4", "2", "2", *"-----", "abandoned"]
    assert lines[3].split() == ["1.2", "4", "3", "1", "1", "0.6", "0.25", "1.6", "KiB", "2.9", "KiB", "-"]
    assert lines[5].startswith("loss")
    assert lines[-1] == (
        f"Published as v1.0, model digest {sha('digest 2')}: 3 participants, 6 updates, privacy level none."
    )


def test_a_cycle_says_how_it_ended_without_a_model():
    begun = [opened(), round_opened()]
    assert learn_view.shown(row([opened()]), 80).splitlines()[1] == "no round was opened yet"
    assert learn_view.shown(row(begun), 80).endswith("Round 1 of 2 when the tables were last written.")
    failed, withdrawn = [*begun, CycleFailed(1, "no\x1b budget")], CycleWithdrawn("temporal", "asked", 0)
    assert learn_view.shown(row(failed), 80).endswith("Failed in round 1: no\\x1b budget")
    lost = [*begun, UpdatesCollected(1, 1, (), (Loss("dan", "failed", "no rows"),)), CycleFailed(1, "no")]
    assert learn_view.shown(row(lost), 80).endswith("; why clients were lost: `moot audit trail learning/c`")
    assert learn_view.shown(row([*begun, withdrawn]), 80).endswith("Withdrawn, no version follows: asked")
    told = learn_view.shown(row(begun, ended="terminated"), 80)
    assert told.endswith("Its workflow was terminated: no end is on the log, and none will follow.")


def test_cycles_are_listed_a_line_each():
    lines = learn_view.rows([row(whole()), row(whole()[:3], ended="failed")], 2).splitlines()
    assert lines[1].split() == [
        *("learning/c", "closed", "2/2", "0.7", "0.5"),
        *("fedavg", "none", "v1.0"),
    ]
    assert lines[2].split()[:3] == ["learning/c", "failed", "1/2"]
    assert lines[3] == "the newest 2; --limit shows more"
    assert learn_view.rows([], 5) == "no learning cycle is known to the read model"


def test_watching_says_each_round_once_when_it_is_over(capsys):
    data = whole()
    with Rounds() as rounds:
        for until in (1, 3, 4, 6, 7, 7, 12):
            rounds.show(row(data[:until]))
    cost = "drift 0.25, 1.6 KiB sent against 2.9 KiB raw"
    assert capsys.readouterr().out.splitlines() == [
        "round 1: 2 of 4 reported, 2 late, abandoned: 2 of 3 reports needed",
        f"round 1, attempt 2: 3 of 4 reported, 1 late, loss 1, accuracy 0.6, {cost}",
        f"round 2: 3 of 4 reported, 1 failed, loss 0.5, accuracy 0.7, {cost}",
    ]


def test_on_a_terminal_the_open_round_has_a_bar(capsys, monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    with Rounds() as rounds:
        rounds.show(row([opened(), round_opened(), collected()]))
        rounds.show(row([opened(), round_opened(), collected(), aggregated()]))
    found = capsys.readouterr()
    assert found.out.startswith("round 1: 3 of 4 reported")
    assert "round 1 of 2" in found.err


def test_a_result_says_what_was_published_and_from_whom():
    rounds = [{"loss": 2.0, "accuracy": None}, {"loss": 1.0, "accuracy": None}]
    said_ = {"participants": 1, "insights_aggregated": 2, "privacy_level": "local_dp", "version": "v1.1"}
    lines = learn_view.result({"cycle": "c", "digest": "d", **said_, "evolution_metrics": rounds}, 60)
    assert lines.splitlines()[:2] == [
        "c: version v1.1, model digest d",
        "  1 participant, 2 updates, privacy level local_dp",
    ]
    assert "loss" in lines
    assert "accuracy" not in lines


def test_what_was_started_is_said_with_the_command_that_follows_it():
    assert "`moot learn watch c`" in learn_view.started({"id": "c", "workflow_id": "learning/c"})
    planned = learn_view.planned({"schedule_id": "learning.m", "every_seconds": 604_800.0, "new": True})
    assert planned.startswith("scheduled learning.m every 7d, the first one now;")


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (3 << 50, "3072.0 TiB")]
)
def test_sizes_are_in_powers_of_1024(count, text):
    assert learn_view.size(count) == text
