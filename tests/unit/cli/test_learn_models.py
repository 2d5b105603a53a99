"""`moot learn models` and its companions: what is refused before any server is asked, and how it looks."""

from dataclasses import replace

import pytest
from click.testing import CliRunner

from cli import learn_models_run, learn_models_view, learn_plot, learn_rounds
from cli.main import moot
from domain.learning.events import RoundAggregated
from domain.refusal import Refusal
from tests.fakes.log_reader import MemoryReader
from tests.unit.audit.learning_cycle import whole


def version(name, parent, status, **changes):
    told = {"version": name, "parent": parent, "status": status, "loss": 0.5, "accuracy": None}
    told |= {"cycle": f"c{name[-1]}", "by": "", "reason": "", "participants": 4, "digest": "d" * 64}
    return told | {"digests": None, "lineage": {"sha256": "e" * 64, "uri": "memory://x"}} | changes


MODEL = {
    "model": "digits",
    "active": "v1.1",
    "canary": {"version": "v1.2", "share": 0.25},
    "drifts": 2,
    "versions": [
        version("v1.0", None, "retired", reason="v1.1 was promoted"),
        version("v1.1", "v1.0", "promoted", accuracy=0.93),
        version("v1.2", "v1.1", "canary"),
        version("v1.3", "v1.0", "rolled_back", by="ann", reason="wrong\x1b[31m"),
        version("v2.0", None, "retired", loss=None),
    ],
}
ROUNDS = [
    {"round": n, "version": "v1.0" if n < 3 else "v1.1", "loss": 1 / n, "accuracy": None, "clients": 4}
    for n in range(1, 6)
]


def test_the_tree_shows_lineages_who_serves_and_who_took_what_back():
    assert learn_models_view.model(MODEL, None).splitlines() == [
        "digits: v1.1 serves, v1.2 is tried on 25% of the nodes; 2 drifts seen",
        "v1.0  retired, loss 0.5, of cycle c0: v1.1 was promoted",
        "├─ v1.1  promoted, loss 0.5, accuracy 0.93, of cycle c1",
        "│  └─ v1.2  canary, loss 0.5, of cycle c2",
        "└─ v1.3  rolled back, loss 0.5, of cycle c3 by ann: wrong\\x1b[31m",
        "v2.0  retired, of cycle c0",
    ]


def test_one_version_shows_its_rounds():
    text = learn_models_view.model(MODEL | {"rounds": ROUNDS}, "v1.0")
    assert "parent none: it began anew, 4 participants" in text
    assert "round 2: loss 0.5, 4 clients" in text
    assert "round 3" not in text


def test_a_lineage_goes_from_its_first_ancestor_to_the_version():
    assert [one["version"] for one in learn_rounds.lineage(MODEL, "v1.2")] == ["v1.0", "v1.1", "v1.2"]
    with pytest.raises(Refusal, match=r"^--version: digits has no v9\.9; the newest are v1\.0"):
        learn_rounds.lineage(MODEL, "v9.9")


async def test_rounds_are_those_that_readers_apply_once_each_and_nothing_that_was_written_beside_them():
    made, reader = await whole(), MemoryReader()
    place = next(n for n, event in enumerate(made.log) if isinstance(event.data, RoundAggregated))
    true = made.log[place]
    forged = replace(true, id=made.log[0].id, version=99, data=replace(true.data, round=3, loss=0.001))
    reader.append([*made.log[: place + 1], true, *made.log[place + 1 :], forged], "learning")
    rounds = await learn_rounds.of_cycle(reader, "c")
    assert [(one["round"], one["loss"]) for one in rounds] == [(1, 0.5), (2, 0.5)]
    assert rounds[0]["privacy"]["method"] == "none"
    assert await learn_rounds.of_cycle(reader, "another") == []


def test_a_terminal_shows_the_first_loss_at_the_top_and_the_last_at_the_bottom():
    lines = learn_plot.terminal(ROUNDS, 60).splitlines()
    assert len(lines) == learn_plot.HEIGHT
    assert lines[0].split() == ["loss", "1", "⠁⠀⠀"]
    assert lines[-1].split() == ["0.2", "⠀⠐⡀"]
    assert learn_plot.terminal(ROUNDS[:1], 60) == "fewer than two rounds were evaluated"


def test_a_file_of_losses_is_fed_in_parts_with_ids_that_are_the_same_again(tmp_path):
    file = tmp_path / "losses.txt"
    file.write_text("0.5\n\n" * 1500)
    parts = learn_models_run.observations(file, (), None, None)
    assert [len(part.losses) for part in parts] == [1000, 500]
    assert parts == learn_models_run.observations(file, (), None, None)
    assert parts[1].id == f"{parts[0].id}-1"
    file.write_text("0.5\nhigh\n")
    with pytest.raises(Refusal, match=r"^FILE: line 2, 'high', is no number"):
        learn_models_run.observations(file, (), None, None)
    file.write_text("\n")
    with pytest.raises(Refusal, match=r"^FILE: has no losses"):
        learn_models_run.observations(file, (), None, None)


def test_losses_by_hand_are_an_observation_of_their_own_each_time():
    one, other = (learn_models_run.observations(None, (0.5,), "v1.0", None) for _ in range(2))
    assert one[0].id != other[0].id
    assert learn_models_run.observations(None, (0.5,), None, "monday")[0].id == "monday"


def test_what_was_told_is_shown_with_who_serves():
    done = {"model": "digits", "event_ids": ["e1"], "active": "v1.0", "canary": None}
    assert learn_models_view.told(done) == "v1.0 of digits serves; event e1"
    assert learn_models_view.told(done | {"event_ids": []}).endswith("as before; nothing was written")


def test_a_drift_is_shown_with_what_follows():
    drift = {"before": 0.1, "after": 0.8, "then": "roll_back", "reason": ""}
    done = {"model": "digits", "losses": 1, "event_ids": ["e"], "drifts": [drift], "unlooked": "no river"}
    assert learn_models_view.observed(done).splitlines() == [
        "1 loss of digits recorded",
        "drift: the loss rose from 0.1 to 0.8; rolled back",
        "a drift was not looked for, or not acted on: no river",
    ]


def test_a_dry_run_lists_everything_and_says_how_to_go_on():
    one = {"sha256": "a" * 64, "bytes": 1234, "changed_at": "2026-01-01"}
    found = {"stored": 3, "records": 9, "referenced": 1, "young": 1, "unreferenced": [one]}
    found |= {"before": "2026-11-08T00:00:00+00:00", "marked_at": "2026-11-01T00:00:00+00:00"}
    first, last = learn_models_view.unreferenced(found).splitlines()
    assert first == f"{'a' * 64}         1,234  2026-01-01"
    assert last.startswith("3 artifacts looked at, 9 records read: 1 referred to, 1 kept as too young, 1 un")
    assert last.endswith("(1,234 bytes)")
    young = learn_models_view.unreferenced(found | {"marked_at": "2026-11-08T00:00:01+00:00"})
    assert young.endswith("mark in the store, of 2026-11-08T00:00:01+00:00, is young: see --grace")
    assert "--yes takes out what is listed" in learn_models_view.collected(found | {"removed": None})
    assert learn_models_view.collected(found | {"removed": 1}) == "1 artifact taken out"


@pytest.mark.parametrize(
    ("command", "arguments", "line"),
    [
        ("models", ["--plot", "x.png"], "--version and --plot need a MODEL"),
        ("models", ["digits", "--collect"], "leave out MODEL"),
        ("models", ["--yes"], "--yes belongs to --collect"),
        ("models", ["digits", "--plot", "x.pdf"], "--plot: makes a PNG"),
        ("models", ["../etc"], "MODEL: '../etc' is not 1 to 128 letters"),
        ("models", ["--collect", "--grace", "soon"], "--grace: 'soon' is no time; one is written like 7d"),
        ("models", ["--collect", "--grace", "59s"], "--grace: 59s is outside 1m to 366d"),
        ("promote", ["digits", "newest", "--reason", "r", "--as", "p"], "version: 'newest' is no version"),
        ("rollback", ["digits", "--reason", " ", "--as", "p"], "reason: is empty"),
        ("observe", ["digits"], "give FILE, or --loss, and not both"),
        (
            "drift",
            ["digits", "--then", "say", "--delta", "2", "--reason", "r", "--as", "p"],
            "delta: 2 is outside",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused_before_a_server_is_asked(command, arguments, line):
    found = CliRunner().invoke(moot, ["learn", command, *arguments])
    assert found.exit_code
    assert line in f"{found.output} {found.exception}"
