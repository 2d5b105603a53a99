"""What `make bench` says and keeps of what it measured; nothing is measured here."""

import asyncio
import json
import time
from collections import Counter

import pytest

from bench import __main__ as bench
from bench import conflict, context, context_flow, projector, regions, storm
from bench.bare_case import Step
from bench.context_flow import Latencies, Sustained
from bench.figure import Figure
from bench.regions_cut import REGIONS, Healed, Topic, written_in
from bench.storm import Storm

DOT, OTHER = ("immediate", "k", "eu-1", 1), ("immediate", "k", "us-1", 1)
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
    sustained = Sustained(12_000, 9_000, 20.0, 19_000, 20_000, 600_000)
    told = context.told(sustained, Latencies(seconds=[0.1] * 100), slow, 60.0)
    assert [figure.met for figure in told] == [True, False, True, True, False]
    assert told[4].value == pytest.approx(900)


def healed(*, us=frozenset({DOT, OTHER}), digest="a", writes=2):
    """Two writes in two of three regions; what came to `us`, and what its table says."""
    own = {"asia": Topic(frozenset(), 0, 0), "eu": Topic(frozenset({DOT}), 1, 500)}
    before = own | {"us": Topic(frozenset({OTHER}), 1, 500)}
    every = Topic(frozenset({DOT, OTHER}), 2, 1_000)
    after = {"asia": every, "eu": every, "us": Topic(us, len(us), 500 * len(us))}
    counted = {"asia": 2, "eu": 2, "us": writes}
    digests = {"asia": "a", "eu": "a", "us": digest}
    return Healed(2, 1.0, 2.0, 0.1, before, after, digests, dict.fromkeys(after, 1), counted, {"single": 3})


def test_healed_regions_are_judged_by_their_hashes_and_by_every_write():
    told = regions.told(healed())
    assert [figure.met for figure in told] == [True, True, None, None]
    assert told[3].value * 2**20 == pytest.approx(2_000)
    assert healed(us=frozenset({OTHER})).unaccounted == 1
    assert healed(writes=3).unaccounted == 1
    assert [figure.met for figure in regions.told(healed(digest="b"))] == [False, True, None, None]


def test_while_cut_off_every_key_is_written_and_some_in_two_or_all_regions():
    by_key = Counter(number for region in REGIONS for number in written_in(region, 100))
    assert Counter(by_key.values()) == {1: 80, 2: 10, 3: 10}


def test_a_case_is_judged_by_the_median_of_its_pairs():
    whole = Step(10, 10, "whole", [Step(1, 1), Step(5, 5, "child-1", [Step(1, 1), Step(1, 1)])])
    told = conflict.told(whole, {"ours": [1.5, 1.2], "bare": [1.0, 1.0]}, {"ours": 6.0, "bare": 4.0})
    by_name = {figure.name: figure for figure in told}
    assert by_name["case over bare workflows"].value == pytest.approx(1.35)
    assert by_name["case over bare workflows"].met is False
    assert by_name["the same in processor time"].value == pytest.approx(1.5)
    assert by_name["bare workflows and activities of a case, p50"].note == "1 child workflows, 3 activities"


async def test_a_put_that_its_predecessors_kept_waiting_is_timed_from_when_it_was_due():
    class Stalled:
        async def put_many(self, _):
            await asyncio.sleep(0.1)

    found = Latencies()
    before = time.perf_counter()
    await context_flow._paced(Stalled(), found, "us", (1, 4 * context_flow.TICK, "run"))
    due = [moment - before for moment in found.pending.values()]
    assert due[-1] - due[0] == pytest.approx(3 * context_flow.TICK)


def test_a_storm_is_judged_by_how_soon_it_is_absorbed_and_by_its_bound():
    seen = Storm(12.0, 500.0, storm.BOUND + 1, 1_000, 1_000, {"temporal": 100.0, "idle": 0.0}, {})
    told = storm.told(seen, 1_000, 10_000)
    assert told[0].name == "10,000 conflicts at once, absorbed"
    assert [figure.met for figure in told] == [True, False, None, None, None]
    assert [figure.value for figure in told[2:4]] == [2.0, 100.0]
    assert told[3].note == "temporal 100.0"
