"""What was answered is asked once, however often it is retried, and read again as strictly each time."""

import asyncio
import json

import pytest

from activities.remembered import NoAnswer, Remembered
from domain.reasoning.question import Piece, Question, Stance, reversed_order
from domain.reasoning.verdict import Verdict
from tests.fakes.artifacts import MemoryArtifacts
from tests.fakes.speaker import Says

QUESTION = Question("Which?", (Stance("p1", "nine"), Stance("p2", "seven")), (Piece("e1", "the log"),))
GOOD = json.dumps({"choice": "p1", "confidence": 0.8, "rationale": "the log", "citations": ["e1"]})
VERDICT = Verdict("p1", 0.8, "the log", ("e1",))


async def test_a_question_is_asked_once_and_another_worker_finds_the_answer():
    answers, says = MemoryArtifacts(), Says(GOOD)
    assert await Remembered(says, answers).verdict(QUESTION) == VERDICT
    assert await Remembered(says, answers).verdict(QUESTION) == VERDICT
    assert len(says.asked) == 1
    await Remembered(says, answers).verdict(reversed_order(QUESTION))
    assert len(says.asked) == 2


async def test_a_retry_that_begins_while_the_first_still_asks_waits_for_it():
    go = asyncio.Event()

    class Slow(Says):
        async def answer(self, question):
            await go.wait()
            return await super().answer(question)

    slow = Slow(GOOD)
    remembered = Remembered(slow, MemoryArtifacts())
    both = [asyncio.create_task(remembered.verdict(QUESTION)) for _ in range(2)]
    await asyncio.sleep(0)
    go.set()
    assert await asyncio.gather(*both) == [VERDICT, VERDICT]
    assert len(slow.asked) == 1


async def test_another_model_or_limit_is_asked_anew():
    answers, says = MemoryArtifacts(), Says(GOOD)
    await Remembered(says, answers).verdict(QUESTION)
    says.identity = "says 2"
    await Remembered(says, answers).verdict(QUESTION)
    assert len(says.asked) == 2


async def test_what_fits_no_verdict_is_kept_too_and_stays_none():
    answers, says = MemoryArtifacts(), Says("p1, obviously")
    for _ in range(2):
        verdict = await Remembered(says, answers).verdict(QUESTION)
        assert (verdict.choice, "does not fit" in verdict.rationale) == (None, True)
    assert len(says.asked) == 1


async def test_a_limit_that_was_reached_is_not_paid_for_twice():
    answers, says = MemoryArtifacts(), Says(NoAnswer("model", "a limit was reached"))
    for _ in range(2):
        verdict = await Remembered(says, answers).verdict(QUESTION)
        assert verdict.rationale == "no verdict: model: a limit was reached"
    assert len(says.asked) == 1


async def test_a_fault_that_may_pass_is_not_kept():
    answers, says = MemoryArtifacts(), Says(ConnectionError("away"), GOOD)
    with pytest.raises(ConnectionError):
        await Remembered(says, answers).verdict(QUESTION)
    assert answers.answers == {}
    assert await Remembered(says, answers).verdict(QUESTION) == VERDICT


@pytest.mark.parametrize(
    "damage", [b"", b"\xff", b"[]", b'{"answer": 1}', b'{"verdict": "p1"}', b'{"answer": "a", "none": "b"}']
)
async def test_a_kept_answer_that_was_damaged_is_asked_again(damage):
    answers, says = MemoryArtifacts(), Says(GOOD)
    await Remembered(says, answers).verdict(QUESTION)
    (key,) = answers.answers
    answers.answers[key] = damage
    assert await Remembered(says, answers).verdict(QUESTION) == VERDICT
    assert len(says.asked) == 2


async def test_a_kept_answer_that_was_changed_is_held_to_the_question_like_any_other():
    answers, says = MemoryArtifacts(), Says(GOOD)
    await Remembered(says, answers).verdict(QUESTION)
    (key,) = answers.answers
    answers.answers[key] = json.dumps({"answer": GOOD.replace("e1", "e9")}).encode()
    assert (await Remembered(says, answers).verdict(QUESTION)).choice is None
