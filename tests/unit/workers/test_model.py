"""A model is asked once, in one request without tools, within its limits; no test asks a real one."""

import json
import sys
from decimal import Decimal

import pytest

from activities.remembered import NoAnswer, Remembered
from domain.reasoning.question import Piece, Question, Stance
from domain.reasoning.verdict import Verdict
from domain.refusal import Refusal
from tests.fakes.artifacts import MemoryArtifacts
from workers import model_settings
from workers.model import Speaks
from workers.model_settings import ModelSettings
from workers.reasoners import load_reasoner, mediator

pytestmark = pytest.mark.usefixtures("no_model_is_asked")
QUESTION = Question("Which?", (Stance("p1", "nine"), Stance("p2", "seven")), (Piece("e1", "the log"),))
GOOD = json.dumps({"choice": "p1", "confidence": 0.8, "rationale": "the log", "citations": ["e1"]})


class Model:
    """Answers with texts, and with calls of a tool given as name and arguments; keeps what it was sent."""

    def __init__(self, *parts, **usage) -> None:
        self.parts = parts
        self.usage = usage
        self.sent = []

    def __call__(self, messages, info):
        from pydantic_ai.messages import ModelResponse, TextPart, ToolCallPart
        from pydantic_ai.usage import RequestUsage

        self.sent.append((messages, info))
        parts = [TextPart(part) if isinstance(part, str) else ToolCallPart(*part) for part in self.parts]
        return ModelResponse(parts=parts, usage=RequestUsage(**self.usage))

    def speaks(self, **limits) -> Speaks:
        from pydantic_ai.models.function import FunctionModel

        return Speaks(ModelSettings(**limits), FunctionModel(self, model_name="fake"))


async def verdict(model, **limits) -> Verdict:
    return await Remembered(model.speaks(**limits), MemoryArtifacts()).verdict(QUESTION)


@pytest.mark.parametrize("words", [GOOD, f"```json\n{GOOD}\n```", f"```\n{GOOD}\n```\n"])
async def test_a_model_s_words_are_read_as_a_verdict(words):
    assert await verdict(Model(words)) == Verdict("p1", 0.8, "the log", ("e1",))


async def test_it_is_sent_one_message_without_tools_and_each_time_with_another_marker():
    model = Model(GOOD)
    for _ in range(2):
        await verdict(model)
    texts = []
    for messages, info in model.sent:
        (message,) = messages
        (part,) = message.parts
        assert (info.function_tools, info.output_tools) == ([], [])
        assert info.model_settings["max_tokens"] == 2_000
        texts.append(part.content)
    assert texts[0] != texts[1]
    assert texts[0].split("\n")[-3] == texts[1].split("\n")[-3], "the data is the same, the markers are not"


async def test_a_call_of_a_tool_runs_nothing_and_is_no_verdict():
    model = Model(("final_result", {"choice": "p1"}), ("append", {"level": 1}))
    given = await verdict(model)
    assert (given.choice, len(model.sent)) == (None, 1)
    assert given.rationale.startswith("no verdict: model: ")


@pytest.mark.parametrize(
    ("usage", "limits"),
    [
        ({"input_tokens": 1_001, "output_tokens": 1}, {"input_tokens": 1_000}),
        ({"input_tokens": 1, "output_tokens": 101}, {"output_tokens": 100}),
        ({"input_tokens": 1, "output_tokens": 1, "cost": Decimal("0.02")}, {"cost": Decimal("0.01")}),
    ],
)
async def test_an_answer_beyond_a_limit_is_none_and_is_not_paid_for_twice(usage, limits):
    model, answers = Model(GOOD, **usage), MemoryArtifacts()
    for _ in range(2):
        given = await Remembered(model.speaks(**limits), answers).verdict(QUESTION)
        assert given.choice is None
        assert "a limit was reached" in given.rationale
    assert len(model.sent) == 1


async def test_an_answer_within_its_limits_is_taken():
    usage = {"input_tokens": 900, "output_tokens": 90, "cost": Decimal("0.009")}
    limits = {"input_tokens": 900, "output_tokens": 90, "cost": Decimal("0.01")}
    assert (await verdict(Model(GOOD, **usage), **limits)).choice == "p1"


@pytest.mark.filterwarnings("ignore::pydantic_ai._warnings.CostNotFoundWarning")
async def test_a_limit_of_cost_that_cannot_be_held_is_no_verdict():
    given = await verdict(Model(GOOD), cost=Decimal("0.01"))
    assert given.rationale == ("no verdict: model: its price is unknown, so the limit of cost cannot be held")


async def test_a_question_that_is_too_long_is_not_sent():
    model = Model(GOOD)
    with pytest.raises(NoAnswer, match="characters, at most 40 are sent"):
        await model.speaks(input_tokens=10).answer(QUESTION)
    assert model.sent == []


async def test_a_model_that_says_what_its_schema_begins_with_gives_no_verdict():
    from pydantic_ai.models.test import TestModel

    speaks = Speaks(ModelSettings(), TestModel())
    assert (await Remembered(speaks, MemoryArtifacts()).verdict(QUESTION)).choice is None


def test_the_model_is_made_from_the_settings_and_a_wrong_name_is_refused():
    wanted = model_settings.read({"FOLKMOOT_MEDIATOR": "model", "FOLKMOOT_MODEL": "test"})
    for made in (
        mediator(wanted, MemoryArtifacts()),
        load_reasoner("model", wanted, MemoryArtifacts()),
    ):
        assert made.name == "model test"
    with pytest.raises(Refusal, match=r"^FOLKMOOT_MODEL: nowhere:best: "):
        mediator(ModelSettings("model", "nowhere:best"), MemoryArtifacts())
    with pytest.raises(Refusal, match=r"^FOLKMOOT_MODEL: is not set"):
        load_reasoner("model", ModelSettings(), MemoryArtifacts())
    assert mediator(ModelSettings(), MemoryArtifacts()).name == "rules"


@pytest.mark.parametrize(
    ("environ", "says"),
    [
        ({"FOLKMOOT_MEDIATOR": "model"}, "FOLKMOOT_MODEL: is not set"),
        ({"FOLKMOOT_MEDIATOR": "person"}, "FOLKMOOT_MEDIATOR: is rules or model; a person decides by"),
        ({"FOLKMOOT_MEDIATOR": "oracle\x1b"}, r"FOLKMOOT_MEDIATOR: 'oracle\\x1b' is none of rules, model"),
        ({"FOLKMOOT_MODEL_INPUT_TOKENS": "0"}, "FOLKMOOT_MODEL_INPUT_TOKENS: '0' is no number of tokens"),
        ({"FOLKMOOT_MODEL_OUTPUT_TOKENS": "-5"}, "FOLKMOOT_MODEL_OUTPUT_TOKENS: '-5' is no number"),
        ({"FOLKMOOT_MODEL_OUTPUT_TOKENS": "9" * 5000}, "FOLKMOOT_MODEL_OUTPUT_TOKENS: '9"),
        ({"FOLKMOOT_MODEL_COST": "free"}, "FOLKMOOT_MODEL_COST: 'free' is no number of US dollars"),
        ({"FOLKMOOT_MODEL_COST": "NaN"}, "FOLKMOOT_MODEL_COST: 'NaN' is no number"),
    ],
)
def test_a_setting_that_cannot_be_is_refused_by_its_name(environ, says):
    with pytest.raises(Refusal, match=says):
        model_settings.read(environ)


def test_the_settings_are_read():
    numbers = {"FOLKMOOT_MODEL_INPUT_TOKENS": "10", "FOLKMOOT_MODEL_OUTPUT_TOKENS": "20"}
    read = model_settings.read({**numbers, "FOLKMOOT_MODEL_COST": "0.05"})
    assert (read.input_tokens, read.output_tokens, read.cost) == (10, 20, Decimal("0.05"))
    assert model_settings.read({}) == ModelSettings()


def test_without_the_extra_it_is_said_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pydantic_ai", None)
    with pytest.raises(Refusal, match=r"^FOLKMOOT_MODEL: pydantic-ai is not installed: pip install"):
        mediator(ModelSettings("model", "test"), MemoryArtifacts())
