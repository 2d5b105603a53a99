"""No case is opened on what a reader sees settled, by whatever rules the deployment has."""

import pytest

from domain.causality.causal_context import Dot
from domain.context.state import fold
from domain.context.versions import version_of
from projections.reaction_queries import Undecided
from tests.unit.domain.context.given import wrote
from workers.deciding import Rules
from workers.reaction_needed import Needed
from workers.settings import Settings

BASE = "The lake is calm. Boats may leave. The café on the pier is open. Bring warm coats."
SETTINGS = Settings("", "", "", "default", "c", "", "", "", None, "eu")


class Past:
    def __init__(self, *writes):
        self.held = {write.dot: write for write in writes}

    async def writes(self, *key_and_dots):
        return [self.held[dot] for dot in key_and_dots[-1] if dot in self.held]


class Written:
    """The log: what a merge wrote."""

    def __init__(self):
        self.events = []

    def __call__(self, *_):
        return self

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        return None

    async def append(self, topic, events):
        self.events += [(topic, event.data) for event in events]


def pycrdt():
    return pytest.importorskip("workers.text_merge", exc_type=ImportError).merge_text


@pytest.fixture
def log(monkeypatch):
    written = Written()
    monkeypatch.setattr("workers.reaction_needed.LogWriter", written)
    return written


async def needed(rules, past=()):
    fields = {"layer": "situational", "ttl_ms": None}
    base = wrote("eu-1:1", BASE, **fields)
    one = wrote("eu-1:2", BASE.replace("calm", "quiet"), seen="eu-1:1", **fields)
    other = wrote("us-1:1", BASE.replace("Bring warm", "Pack warm"), seen="eu-1:1", **fields)
    entry = None
    for write in (one, other):
        entry = fold(entry, write)
    found = Undecided("context/eu.situational.k", "eu", "situational", "k", version_of(entry), ())
    assert {Dot("eu-1", 2), Dot("us-1", 1)} == set(found.dots)
    return await Needed(SETTINGS, rules).decision(Past(*([base] if past else [])), found, entry)


async def test_texts_whose_past_lets_them_be_merged_are_merged_where_the_policy_merges_texts(log):
    assert not await needed(Rules(merge_text=pycrdt()), past=True)
    ((topic, write),) = log.events
    assert topic == "context.eu"
    assert (write.node.partition(".")[0], write.seen) == ("merge", {"eu-1": 2, "us-1": 1})
    assert write.value == BASE.replace("calm", "quiet").replace("Bring warm", "Pack warm")


async def test_texts_need_a_decision_where_the_policy_merges_none_or_the_past_is_unknown(log):
    assert await needed(Rules(), past=True)
    assert await needed(Rules(merge_text=pycrdt()))
    assert log.events == []
