"""A node's reasoner, with a model or without one; and what standings weigh."""

import pytest
from temporalio.testing import ActivityEnvironment

from activities.asking import Rules
from activities.ports import Standing
from activities.reasoner import Answer, Inquiry, Reasoning
from activities.reputation import Reputation, StandingsWanted
from domain.consensus.events import ReputationsRead
from domain.reasoning.verdict import Verdict
from domain.refusal import Refusal
from tests.fakes.artifacts import MemoryArtifacts
from tests.fakes.read_model import MemoryReadModel
from workers.model_settings import ModelSettings
from workers.reasoners import load_reasoner

INQUIRY = Inquiry("q", "r", 1, "Which?", ("a", "b"), evidence=("e1",))


async def test_a_node_without_a_model_abstains_and_says_so():
    answer = await ActivityEnvironment().run(Reasoning(Rules()).answer_inquiry, INQUIRY)
    assert answer.choice is None
    assert answer.reason.startswith("no verdict: grouped and counted, not understood; 2 positions")


async def test_the_injected_reasoner_answers():
    class First:
        name = "first"

        async def verdict(self, question):
            return Verdict(question.choices[0], 0.6, "the first", ("e1",))

    answer = await ActivityEnvironment().run(Reasoning(First()).answer_inquiry, INQUIRY)
    assert answer == Answer("a", 0.6, "the first (cites e1)")


def test_a_reasoner_is_loaded_by_its_name():
    for spec in ("rules", "activities.asking:Rules"):
        assert isinstance(load_reasoner(spec, ModelSettings(), MemoryArtifacts()), Rules)


@pytest.mark.parametrize(
    "spec",
    ["activities.asking", "nowhere:Rules", "activities.asking:Missing", "", ":", "builtins:dict"],
)
def test_what_cannot_be_loaded_as_a_reasoner_is_refused(spec):
    with pytest.raises(Refusal, match="--reasoner"):
        load_reasoner(spec, ModelSettings(), MemoryArtifacts())


async def test_standings_come_out_as_their_means():
    model = MemoryReadModel(standings={"v": Standing(3.0, 1.0), "w": Standing(1.0, 1.0)}, offsets=(7, 0, 2))
    wanted = StandingsWanted("topic", ("v", "w", "x"), 12.5)
    found = await ActivityEnvironment().run(Reputation(model).mean_standings, wanted)
    assert found.means == {"v": 0.75, "w": 0.5}
    assert found.read == ReputationsRead(12.5, (7, 0, 2))
