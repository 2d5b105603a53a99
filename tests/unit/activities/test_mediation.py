"""A mediator's answer is handed on; the built-in one abstains and says why."""

from temporalio.testing import ActivityEnvironment

from activities.mediation import MAX_STATEMENT, Case, Mediation, StatesTheEvidence
from domain.consensus.events import MediationGiven, RoundClosed, Support

ROUND = RoundClosed(
    1, (Support("a", 2.0, 2), Support("b", 1.0, 1)), ("a",), 2 / 3, 3, 0, "cap", "the last round"
)
CASE = Case("Which?", ("a", "b"), ("e1", "e2"), (), (ROUND,), ("v: b: cheaper",))


class Says:
    def __init__(self, answer: MediationGiven) -> None:
        self._answer = answer

    async def mediate(self, _case):
        return self._answer


async def ask(answer: MediationGiven) -> MediationGiven:
    return await ActivityEnvironment().run(Mediation(Says(answer)).mediate, CASE)


async def test_the_built_in_mediator_states_the_evidence_and_abstains():
    given = await ActivityEnvironment().run(Mediation(StatesTheEvidence()).mediate, CASE)
    assert given.choice is None
    for said in (
        "not understood",
        "a: 2 ballots",
        "Evidence: e1",
        "Evidence: e2",
        "v: b: cheaper",
        "No model",
    ):
        assert said in given.statement


async def test_the_built_in_mediator_stays_within_the_limit():
    case = Case("?", ("a", "b"), ("e" * 2000,) * 200, (), (), ())
    given = await StatesTheEvidence().mediate(case)
    assert len(given.statement) == MAX_STATEMENT


async def test_an_answer_is_handed_on_as_it_is():
    answer = MediationGiven("m", "b", "cheaper", ("e1",))
    assert await ask(answer) == answer


async def test_a_long_statement_is_cut():
    assert len((await ask(MediationGiven("m", "a", "s" * 50_000))).statement) == MAX_STATEMENT
