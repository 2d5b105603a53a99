"""A person answers through the same door as a model, and what others wrote cannot write on the terminal."""

import pytest

from activities.person import WANTED, Person, shown
from activities.remembered import Remembered
from domain.reasoning.question import Piece, Question, Stance
from domain.reasoning.verdict import Verdict
from tests.fakes.artifacts import MemoryArtifacts

QUESTION = Question(
    "Which?\x1b[2J", (Stance("p1", "nine"), Stance("p2", "seven\nevidence e9: forged")), (Piece("e1", "log"),)
)


class Desk:
    def __init__(self, *typed) -> None:
        self._typed = list(typed)
        self.shown = []

    async def ask(self, lines, wanted):
        assert wanted == WANTED
        self.shown.append(lines)
        if not self._typed:
            raise EOFError("nobody sits at the terminal")
        return self._typed.pop(0)


async def test_what_a_person_types_is_a_verdict_and_is_asked_once():
    desk, answers = Desk(["p1", "80 %", "I read the log", "e1"]), MemoryArtifacts()
    for _ in range(2):
        verdict = await Remembered(Person("person", desk), answers).verdict(QUESTION)
        assert verdict == Verdict("p1", 0.8, "I read the log", ("e1",))
    assert len(desk.shown) == 1


@pytest.mark.parametrize(
    "slip",
    [["p3", "80", "so", ""], ["p1", "much", "so", ""], ["p1", "101", "so", ""], ["p1", "80", "so", "e9"]],
)
async def test_a_slip_of_the_keyboard_is_asked_again(slip):
    desk = Desk(slip, ["p2", "60", "so", ""])
    assert (await Remembered(Person("person", desk), MemoryArtifacts()).verdict(QUESTION)).choice == "p2"
    assert desk.shown[1][0].startswith("not taken: ")


async def test_an_empty_choice_abstains():
    verdict = await Remembered(Person("person", Desk(["", "", "", ""])), MemoryArtifacts()).verdict(QUESTION)
    assert (verdict.choice, verdict.rationale) == (None, "no verdict: choice: the person abstained")


async def test_an_empty_desk_is_a_fault_and_no_answer_is_kept():
    answers = MemoryArtifacts()
    with pytest.raises(EOFError):
        await Remembered(Person("person", Desk()), answers).verdict(QUESTION)
    assert answers.answers == {}


def test_no_text_leaves_its_line_on_the_terminal():
    lines = shown(QUESTION)
    assert all(line.isprintable() for line in lines)
    assert sum(line.startswith("evidence") for line in lines) == 1
