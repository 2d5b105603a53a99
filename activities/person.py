"""A person as a reasoner: reads the question, says what holds and why."""

import json
from typing import Protocol

from activities.remembered import NoAnswer
from domain.reasoning.question import Question
from domain.reasoning.verdict import read_verdict
from domain.refusal import Refusal
from domain.strict_json import printable

_SHOWN = 2_000
WANTED = ["choice (an id, empty to abstain)", "probability in %", "why", "citations (ids)"]


class Desk(Protocol):
    """Where somebody sits."""

    async def ask(self, lines: list[str], wanted: list[str]) -> list[str]:
        """Show `lines`, ask for each of `wanted`, and return one line for each.

        Raises:
            EOFError: nobody sits there.
        """
        ...


class Person:
    """A `Speaker` at a desk; control characters of others' texts are shown escaped."""

    def __init__(self, name: str, desk: Desk) -> None:
        self._name = name
        self._desk = desk

    @property
    def name(self) -> str:
        return self._name

    @property
    def identity(self) -> str:
        return self._name

    async def answer(self, question: Question) -> str:
        """The person's answer, as the same JSON that a model gives."""
        lines = shown(question)
        while True:
            typed = await self._desk.ask(lines, WANTED)
            if not typed[0].strip():
                raise NoAnswer("choice", "the person abstained")
            words = as_words(typed)
            try:
                read_verdict(words, question)
            except Refusal as refusal:  # a slip of the keyboard is no answer
                lines = [f"not taken: {refusal}"]
            else:
                return words


def as_words(typed: list[str]) -> str:
    """What was typed for `WANTED`, as JSON; a probability that is no number stays what was typed."""
    choice, sure, why, cited = (text.strip() for text in typed)
    percent = sure.removesuffix("%").strip()
    confidence = int(percent) / 100 if percent.isascii() and percent.isdigit() else sure
    citations = cited.replace(",", " ").split()
    return json.dumps({"choice": choice, "confidence": confidence, "rationale": why, "citations": citations})


def shown(question: Question) -> list[str]:
    """The question for a terminal: one line for each text, none of which can write anything else there."""

    def fit(text: str) -> str:
        return printable(text, _SHOWN)

    return [
        f"question: {fit(question.question)}",
        *(f"  {fit(one.id)}: {fit(one.claim)}" for one in question.positions),
        *(f"evidence {fit(piece.id)}: {fit(piece.text)}" for piece in question.evidence),
        *(f"said: {fit(text)}" for text in question.context),
    ]
