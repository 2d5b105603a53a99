"""A mediator is asked in both orders; the built-in one abstains and says why."""

from temporalio.testing import ActivityEnvironment

from activities.mediation import MAX_STATEMENT, Case, Mediation
from domain.consensus.events import MediationGiven, RoundClosed, Support
from domain.reasoning.verdict import Verdict

ROUND = RoundClosed(
    1, (Support("a", 2.0, 2), Support("b", 1.0, 1)), ("a",), 2 / 3, 3, 0, "cap", "the last round"
)
CASE = Case("Which?", ("a", "b"), ("first", "second"), (), (ROUND,), ("v: b: cheaper",))


class Says:
    name = "m"

    def __init__(self, *answers) -> None:
        self._answers = list(answers)
        self.asked = []

    async def verdict(self, question):
        self.asked.append(question)
        return self._answers.pop(0)


async def mediate(*answers, case=CASE) -> MediationGiven:
    return await ActivityEnvironment().run(Mediation(Says(*answers)).mediate, case)


async def test_the_built_in_mediator_states_the_evidence_and_abstains():
    given = await ActivityEnvironment().run(Mediation().mediate, CASE)
    assert (given.mediator, given.choice) == ("rules", None)
    for said in ("not understood", "a: 2 ballots", "Evidence: first", "Evidence: second", "v: b: cheaper"):
        assert said in given.statement


async def test_the_built_in_mediator_stays_within_the_limit():
    case = Case("?", ("a", "b"), ("e" * 2000,) * 200, (), (), ())
    given = await ActivityEnvironment().run(Mediation().mediate, case)
    assert len(given.statement) == MAX_STATEMENT


async def test_what_holds_in_both_orders_is_told_in_the_words_of_the_case():
    given = await mediate(Verdict("o2", 0.9, "cheaper", ("e1",)), Verdict("o2", 0.8, "so", ("e2",)))
    assert given == MediationGiven("m", "b", "cheaper", ("first", "second"))


async def test_the_second_time_the_options_are_reversed():
    said = Says(Verdict("o1", 0.9, "so"), Verdict("o2", 0.9, "so"))
    given = await ActivityEnvironment().run(Mediation(said).mediate, CASE)
    assert [question.choices for question in said.asked] == [("o1", "o2"), ("o2", "o1")]
    assert given.choice is None
    assert "the order of the positions decided" in given.statement


async def test_a_choice_that_is_none_is_no_verdict():
    given = await mediate(Verdict("a", 0.9, "so"), Verdict("a", 0.9, "so"))
    assert given.choice is None
    assert "choice: 'a' is no position of the question" in given.statement
