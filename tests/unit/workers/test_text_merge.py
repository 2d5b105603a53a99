"""Edits of one text, merged: each kept, none twice, the same in any order, and only where they may be."""

from itertools import permutations

import pytest

from domain.context.layers import Layers
from domain.context.rules.conflict import between
from domain.context.rules.registry import resolve
from domain.refusal import Refusal
from tests.unit.domain.context.given import wrote
from workers import context_policy, context_rules

BASE = "The lake is calm. Boats may leave. The café ☂ on the pier is open. Bring warm coats."
QUIET, PACKED = BASE.replace("calm", "quiet"), BASE.replace("Bring warm coats", "Pack warm coats ☂")


def test_a_policy_that_merges_texts_needs_the_package(monkeypatch, tmp_path):
    monkeypatch.setitem(__import__("sys").modules, "workers.text_merge", None)
    file = tmp_path / "policy.toml"
    file.write_text('texts = "pycrdt"')
    with pytest.raises(Refusal, match=r"texts: .* install folkmoot\[texts\]"):
        context_rules.rules(context_policy.load(file, {}))
    file.write_text('texts = "git"')
    with pytest.raises(Refusal, match="texts: is none of pycrdt"):
        context_policy.load(file, {})
    assert context_rules.rules(context_policy.load(None, {})).merge_text is None


def test_each_edit_is_in_the_result_whatever_the_letters():
    merge_text = pytest.importorskip("workers.text_merge", exc_type=ImportError).merge_text
    assert merge_text(BASE, (PACKED, QUIET)) == QUIET.replace("Bring warm coats", "Pack warm coats ☂")
    assert merge_text("a\nb\nc\n", ("a\nb\nc\nd\n", "b\nc\n")) == "b\nc\nd\n"
    assert merge_text("", ("a", "b")) == "ab"


def test_siblings_are_merged_in_any_order_and_contradicting_ones_are_not():
    merge_text = pytest.importorskip("workers.text_merge", exc_type=ImportError).merge_text
    first = wrote("eu-1:1", BASE)
    edits = [wrote("eu-1:2", QUIET, seen="eu-1:1"), wrote("us-1:1", PACKED, seen="eu-1:1")]
    found = {
        resolve(
            between(order, rule=Layers().situational.rule, known=[first], merge_text=merge_text)
        ).merged_context
        for order in permutations(edits)
    }
    assert found == {QUIET.replace("Bring warm coats", "Pack warm coats ☂")}
    closed = wrote("us-1:1", BASE.replace("may leave", "may not leave"), seen="eu-1:1")
    against = between([edits[0], closed], rule="semantic_merge", known=[first], merge_text=merge_text)
    assert resolve(against).resolution is None
