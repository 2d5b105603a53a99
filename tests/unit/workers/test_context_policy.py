"""The policy's file, and where a replicator's command line says that it reads and writes."""

import pytest

from domain.context.policy import ContextPolicy
from domain.refusal import Refusal
from workers import context_policy
from workers.replicating import Place
from workers.replicator_places import check_once, mirrored, place


def test_toml_and_json_state_the_same(tmp_path):
    toml, json = tmp_path / "p.toml", tmp_path / "p.json"
    toml.write_text('[layers.cultural]\nsync_seconds = 5\n[[pins]]\nkey = "a/*"\nregions = ["eu"]\n')
    json.write_text(
        '{"layers": {"cultural": {"sync_seconds": 5}}, "pins": [{"key": "a/*", "regions": ["eu"]}]}'
    )
    assert context_policy.load(toml, {}) == context_policy.load(json, {}) != ContextPolicy()
    assert context_policy.load(None, {"FOLKMOOT_CONTEXT_POLICY": str(json)}) == context_policy.load(json, {})
    assert context_policy.load(None, {}) == ContextPolicy()


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("p.toml", b"layers = ", "is no TOML: "),
        ("p.toml", b'a = "\\u0000"', "holds a NUL"),
        ("p.toml", b"\xff", "is no TOML: "),
        ("p.toml", b"a = " + b"[" * 5_000, "is nested too deeply"),
        ("p.json", b"{", "JSON"),
        ("p.json", b"[]", "is no table of layers, pins, texts"),
        ("p.json", b'{"pins": [{"regions": ["eu"]}]}', "pins[0].key: neither key nor layer"),
        ("p.json", b" " * (1 << 20) + b"{}", "has more than 1048576 bytes"),
        ("missing.toml", None, "cannot be read: No such file"),
    ],
)
def test_a_policy_that_cannot_be_used_is_refused_in_one_line_with_its_file(tmp_path, name, text, problem):
    file = tmp_path / name
    if text is not None:
        file.write_bytes(text)
    with pytest.raises(Refusal) as refused:
        context_policy.load(file, {})
    said = str(refused.value)
    assert said.startswith("policy ")
    assert name in said
    assert problem in said
    assert "\n" not in said


def test_a_place_is_a_region_here_or_in_another_cluster():
    assert place("eu", "--from", "here:1", "p.") == Place("eu", "here:1", "p.")
    assert place("eu=there:2,more:3", "--from", "", "p.") == Place("eu", "there:2,more:3", "p.")
    assert place("eu", "--from", "here:1", "p.").topic == "context.eu"


def test_a_mirrored_topic_is_one_with_another_prefix():
    assert mirrored("eu", "here:1", "") == Place("eu", "here:1", "eu.")
    assert mirrored("eu", "here:1", "p.") == Place("eu", "here:1", "eu.p.")
    assert mirrored("eu=backup-context.eu", "here:1", "p.") == Place("eu", "here:1", "backup-")


@pytest.mark.parametrize(
    ("named", "problem"),
    [
        (lambda: place("EU", "--from", "here:1", ""), "--from: 'EU' is not 1 to 40"),
        (lambda: place("eu=there", "--to", "here:1", ""), "is not host:port"),
        (lambda: place("eu", "--to", "", ""), "--to: eu has no address: write eu=HOST:PORT, or set"),
        (lambda: mirrored("eu=eu.context.us", "here:1", ""), "'eu.context.us' does not end in context.eu"),
        (lambda: mirrored("eu", "", ""), "--mirrored: reads from our own cluster: set FOLKMOOT_KAFKA"),
        (
            lambda: check_once([Place("eu", "a:1", ""), Place("eu", "b:1", "")], "--to"),
            "--to: eu is named twice",
        ),
    ],
)
def test_what_names_no_place_is_refused_by_its_option(named, problem):
    with pytest.raises(Refusal) as refused:
        named()
    assert problem in str(refused.value)
    assert "\n" not in str(refused.value)
