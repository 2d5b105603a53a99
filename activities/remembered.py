"""A model or a person, asked once for each question: the answer is kept under the question's digest."""

import asyncio
import hashlib
import json
from typing import Protocol
from weakref import WeakValueDictionary

import structlog

from activities.ports import Answers
from domain.reasoning.prompt import digest
from domain.reasoning.question import Question
from domain.reasoning.verdict import Verdict, no_verdict, verdict_or_none
from domain.refusal import Refusal
from domain.strict_json import parse

_log = structlog.get_logger()
MAX_KEPT = 1 << 20


class NoAnswer(Refusal):
    """The question was put, and asking again would bring nothing but its costs: a limit, no text."""


class Speaker(Protocol):
    """Whoever answers in words, which may be anything."""

    @property
    def name(self) -> str:
        """Who it is, for the record."""
        ...

    @property
    def identity(self) -> str:
        """Who it is and under which limits: another one is asked anew."""
        ...

    async def answer(self, question: Question) -> str:
        """The words.

        Raises:
            NoAnswer: there are none, and a retry is not worth it; any other fault may pass.
        """
        ...


class Remembered:
    """A `Reasoner` out of a speaker: reads its words as a verdict or as none, and asks it once."""

    def __init__(self, speaker: Speaker, answers: Answers) -> None:
        self._speaker = speaker
        self._answers = answers
        self._asking: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @property
    def name(self) -> str:
        return self._speaker.name

    async def verdict(self, question: Question) -> Verdict:
        """What was said, now or before; what does not fit the question is no verdict."""
        asked = json.dumps([self._speaker.identity, digest(question)])
        key = hashlib.sha256(asked.encode()).hexdigest()
        lock = self._asking.setdefault(key, asyncio.Lock())
        async with lock:  # a retry begins while the attempt that timed out still asks
            said = await self._before(key)
            if said is None:
                said = await self._ask(question)
                await self._answers.keep(key, json.dumps(said).encode())
        if "answer" in said:
            return verdict_or_none(said["answer"], question)
        return no_verdict(said["none"])

    async def _ask(self, question: Question) -> dict[str, str]:
        try:
            return {"answer": await self._speaker.answer(question)}
        except NoAnswer as refusal:
            return {"none": str(refusal)}

    async def _before(self, key: str) -> dict[str, str] | None:
        kept = await self._answers.answered(key)
        if kept is None:
            return None
        try:
            said = parse(kept, what="answer", limit=MAX_KEPT)
        except Refusal:
            said = None
        match said:
            case {"answer": str(words), **rest} if not rest:
                return {"answer": words}
            case {"none": str(why), **rest} if not rest:
                return {"none": why}
        _log.warning("reasoner.kept_answer_unreadable", key=key)
        return None
