"""A model behind real workflows: its answer is durable, and an activity that is retried asks nobody again."""

import json

from pydantic_ai import models
from pydantic_ai.messages import ModelResponse, TextPart
from pydantic_ai.models.function import FunctionModel

from activities.remembered import Remembered
from domain.consensus.events import BallotCast, MediationGiven
from tests.fakes.artifacts import MemoryArtifacts
from workers.model import Speaks
from workers.model_settings import ModelSettings

models.ALLOW_MODEL_REQUESTS = False


class Counting:
    """Finds for the option whose text is b, and fails in the requests named by their number."""

    def __init__(self, *fails: int) -> None:
        self._fails = fails
        self.requests = 0

    def __call__(self, messages, _info):
        self.requests += 1
        if self.requests in self._fails:
            raise ConnectionError("the provider is away")
        lines = messages[0].parts[-1].content.split("\n")
        data = json.loads(next(line for line in lines if line.startswith("{")))
        (choice,) = [one["id"] for one in data["positions"] if one["claim"] == "b"]
        said = {"choice": choice, "confidence": 0.9, "rationale": "weighed", "citations": ["e1"]}
        return ModelResponse(parts=[TextPart(json.dumps(said))])

    def reasoner(self) -> Remembered:
        return Remembered(Speaks(ModelSettings(), FunctionModel(self)), MemoryArtifacts())


async def test_a_mediator_that_fails_in_the_second_order_is_asked_the_first_only_once(alone, proposal):
    model = Counting(2)
    async with alone() as moot:
        moot.mediator = model.reasoner()
        moot.queue += "-mediated"
        async with moot.working():
            outcome = await moot.decide(
                {**proposal, "evidence": ["the log"], "policy": {"threshold": 1, "otherwise": "mediate"}}
            )
    assert (outcome["consensus"], outcome["status"], outcome["authority"]) == ("b", "mediated", "mediator")
    assert model.requests == 3, "one for each order, and the one that failed"
    (given,) = [e.data for e in moot.stream(proposal["id"]) if isinstance(e.data, MediationGiven)]
    assert (given.mediator[:6], given.statement, given.citations) == ("model ", "weighed", ("the log",))


async def test_a_model_on_a_node_votes_and_each_voter_is_asked_once(moot, proposal):
    model, node = Counting(1), moot.id("node")
    voters = [{"id": name, "kind": "reasoner", "node": node} for name in ("ann", "bob")]
    asked = {**proposal, "evidence": ["the log"], "voters": voters}
    async with moot.thinking(node, model.reasoner()):
        outcome = await moot.decide(asked)
    assert outcome["consensus"] == "b"
    ballots = [e.data for e in moot.stream(proposal["id"]) if isinstance(e.data, BallotCast)]
    assert {(one.choice, one.confidence, one.reason) for one in ballots} == {("b", 0.9, "weighed (cites e1)")}
    assert model.requests == 3
