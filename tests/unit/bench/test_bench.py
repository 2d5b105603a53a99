"""What `make bench` says and keeps of what it measured; nothing is measured here."""

import json

import pytest

from bench import __main__ as bench
from bench import conflict, context, projector, storm
from bench.bare_case import Step
from bench.context_flow import Latencies, Sustained
from bench.figure import Figure
from bench.storm import Storm

MET, MISSED = Figure("quick", 1.0, "s", 2, "<="), Figure("slow", 3.0, "s", 2, "<=")


@pytest.fixture
def run(monkeypatch, tmp_path):
    def run_parts(**parts):
        monkeypatch.setattr(bench, "PARTS", parts)
        monkeypatch.setattr(bench, "RESULTS", tmp_path)
        monkeypatch.setattr("sys.argv", ["bench"])
        return bench.main()

    return run_parts


def kept(folder):
    (file,) = folder.glob("*.json")
    return json.loads(file.read_text())["figures"]


def test_a_figure_that_is_missed_is_said_kept_and_fails_the_command(run, tmp_path, capsys):
    assert run(one=lambda: [MET, MISSED]) == 1
    assert "NO" in capsys.readouterr().out
    assert [figure["met"] for figure in kept(tmp_path)["one"]] == [True, False]


def test_figures_that_are_all_met_do_not_fail(run, capsys):
    assert run(one=lambda: [MET, Figure("only told", 5.0, "s")]) == 0
    assert "NO" not in capsys.readouterr().out


def test_a_part_that_fails_does_not_take_along_what_was_measured_before(run, tmp_path):
    def fails():
        raise RuntimeError("the server died")

    with pytest.raises(RuntimeError, match="the server died"):
        run(one=lambda: [MET], two=fails)
    assert [*kept(tmp_path)] == ["one"]


def test_the_projector_is_judged_by_its_whole_process_and_its_slowest_return():
    def all_(rate):
        return [{"rate": rate, "rss_mb": 100.0}] * 2

    whole = {"rate": 30.0, "rss_mb": 100.0, "back": 1.0, "sealed": 2.0}
    steps = {"floor": 50.0, "ours": 40.0, "rebuild": 60.0}
    runs = {f"{step} {kind}": all_(rate) for step, rate in steps.items() for kind in ("distinct", "hot")}
    runs["process"] = [whole, whole | {"back": 6.0, "rss_mb": 201.0}]
    told = projector.told({"runs": runs, "bytes_each": {"distinct": 700.0}})
    by_name = {figure.name: figure for figure in told}
    assert by_name["projector process, with its sealer, of the floor"].value == pytest.approx(0.6)
    assert by_name["projector, memory at most"].met is False
    assert by_name["projector, back after kill -9"].value == pytest.approx(6.0)
    assert by_name["projector, back after kill -9"].met is False


def test_shared_context_is_judged_by_what_is_projected_and_by_its_slowest_hundredth():
    slow = Latencies(seconds=[0.1] * 97 + [0.9] * 3)
    told = context.told(Sustained(12_000, 9_000, 5, 600_000), Latencies(seconds=[0.1] * 100), slow, 60.0)
    assert [figure.met for figure in told] == [True, False, True, False]
    assert told[3].value == pytest.approx(900)


def test_a_case_is_judged_by_the_median_of_its_pairs():
    whole = Step(10, 10, "whole", [Step(1, 1), Step(5, 5, "child-1", [Step(1, 1), Step(1, 1)])])
    told = conflict.told(whole, {"ours": [1.5, 1.2], "bare": [1.0, 1.0]}, {"ours": 6.0, "bare": 4.0})
    by_name = {figure.name: figure for figure in told}
    assert by_name["case over bare workflows"].value == pytest.approx(1.35)
    assert by_name["case over bare workflows"].met is False
    assert by_name["the same in processor time"].value == pytest.approx(1.5)
    assert by_name["bare workflows and activities of a case, p50"].note == "1 child workflows, 3 activities"


def test_a_storm_is_judged_by_how_soon_it_is_absorbed_and_by_its_bound():
    seen = Storm(12.0, 500.0, storm.BOUND + 1, 1_000, 1_000, {"temporal": 100.0, "idle": 0.0}, {})
    told = storm.told(seen, 1_000)
    assert [figure.met for figure in told] == [True, False, None, None, None]
    assert [figure.value for figure in told[2:4]] == [2.0, 100.0]
    assert told[3].note == "temporal 100.0"
