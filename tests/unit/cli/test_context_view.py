"""What `moot context get` prints: a value, or the siblings with what each of them says."""

from dataclasses import asdict

from cli import context_view
from domain.context.layers import NAMES
from tests.unit.domain.context.given import wrote
from workers.deciding import Accepted

ODD = "\x1b]0;x\x07"


def write(node, value):
    at = {"wall": 1_795_314_433_336, "flags": []}
    return {"node": node, "counter": 1, "writer": node, "region": "eu", "value": value, **at}


def data(*siblings, present, staleness=1.0, **resolution):
    return {
        "present": present,
        "value": siblings[0]["value"],
        "version": "eu-1:1,eu-2:1",
        "siblings": siblings,
        "resolution": resolution or None,
        "awaited": [],
        "staleness_seconds": staleness,
    }


def undecided(staleness=1.0):
    reason = {"reason": "2 siblings contradict each other", "contradictions": ["/wind"]}
    writes = (write("eu-1", {"wind": 9}), write("eu-2", {"wind": 7}))
    return data(*writes, present=False, staleness=staleness, resolution=None, **reason)


def test_siblings_that_no_rule_settles_are_shown_with_what_they_say_and_where_they_differ():
    lines = context_view.found(undecided()).splitlines()
    assert lines[0] == "no value: siblings that no rule settles"
    assert lines[2] == "  undecided: 2 siblings contradict each other in /wind"
    assert lines[3].endswith('eu-1:1  by eu-1 in eu  {"wind": 9}')
    assert lines[4].endswith('eu-2:1  by eu-2 in eu  {"wind": 7}')


def test_the_way_out_is_told_unless_it_is_the_past_that_is_read():
    assert "moot conflict list" in context_view.found(undecided())
    assert "moot conflict list" not in context_view.found(undecided(staleness=None))
    assert all(len(line) <= 100 for line in context_view.found(undecided()).splitlines())


def test_a_value_that_stands_alone_is_shown_once():
    said = context_view.found(data(write("eu-1", {"wind": 3}), present=True))
    assert said.count('{"wind": 3}') == 1
    assert "conflict" not in said


def test_a_reason_that_concerns_the_whole_value_names_no_field():
    reason = {"resolution": None, "reason": "a value is no event", "contradictions": [""]}
    said = context_view.found(data(write("eu-1", 1), write("eu-2", 2), present=False, **reason))
    assert "  undecided: a value is no event\n" in said


def test_a_node_that_is_no_id_is_shown_escaped():
    write = asdict(wrote("eu-1:1", 1, layer=NAMES[1])) | {"node": ODD}
    data = {"siblings": [write], "resolution": None, "value": 1, "present": True, "version": f"{ODD}:1"}
    shown = context_view.found(data | {"awaited": (), "staleness_seconds": None})
    stored = Accepted(
        context_id="i",
        local_version=f"{ODD}:1",
        conflicts_detected=0,
        requires_remote_resolution=False,
    )
    for text in (shown, context_view.accepted(stored)):
        assert all(line.isprintable() for line in text.splitlines())
        assert "\\x1b]0;x\\x07:1" in text
