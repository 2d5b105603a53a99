"""The accountant of noisy methods: who is charged before anybody trains, and what is stated after."""

from dataclasses import replace
from importlib.util import find_spec

import pytest

from activities.privacy import accountant
from activities.privacy.ledgers import Ledgers
from activities.privacy.port import OVERSPENT, Session
from domain.learning.budget import commands
from domain.learning.budget.commands import Charged
from domain.learning.mechanism import Mechanism
from domain.learning.policy import PrivacySpec
from domain.refusal import Refusal
from tests.fakes.journal import MemoryJournal

pytestmark = pytest.mark.skipif(find_spec("dp_accounting") is None, reason="needs folkmoot[learning]")
FLEET = ("ada", "ben", "cyd", "dee")
PUBLIC = PrivacySpec("differential_privacy", noise_multiplier=5.0, delta=1e-5, ledger="wards")
SECRET = replace(PUBLIC, sampling="secret")


class Budgets:
    """`Budgets` that write down what is charged; an id again gives the same answer, for the same charge."""

    def __init__(self, refused=()):
        self.charges, self.answers, self.refused = [], {}, refused

    async def charge(self, charge):
        if charge.id not in self.answers:
            over = tuple((subject, 1.25) for subject in charge.subjects if subject in self.refused)
            self.answers[charge.id] = (charge, Charged(not over, 0.5, over[:20], len(over)))
            self.charges.append(charge)
        asked, answer = self.answers[charge.id]
        assert asked == charge
        return answer


def session(cohort=("ada", "cyd"), spec=PUBLIC, number=1, attempt=1, **more):
    said = {"rounds": 3, "eligible": 4, "size": 2 if spec.sampling == "secret" else 0} | more
    return Session("c", number, attempt, cohort=cohort, identities={}, spec=spec, schema=(), **said)


class Bed:
    """Budgets, a journal, and an accountant that is another process each time."""

    def __init__(self, **options):
        self.budgets, self.kept = Budgets(**options), {}

    @property
    def ledgers(self):
        return Ledgers(self.budgets, MemoryJournal(self.kept))

    async def admit(self, asked, everybody=FLEET):
        before = len(self.budgets.charges)
        await self.ledgers.admit(asked, everybody)
        return [(one.subjects, one.sampling, one.count) for one in self.budgets.charges[before:]]


async def test_where_cohorts_are_public_those_who_were_drawn_pay_in_full_for_each_attempt():
    bed = Bed()
    assert await bed.admit(session()) == [(("ada", "cyd"), 1.0, 1)]
    assert await bed.admit(session()) == []  # tried again, also by another process
    assert await bed.admit(session(attempt=2)) == [(("ada", "cyd"), 1.0, 1)]
    assert await bed.admit(session(number=2)) == [(("ada", "cyd"), 1.0, 1)]
    (one, *_) = bed.budgets.charges
    assert (one.ledger, one.noise_multiplier, one.delta, one.budget) == ("wards", 5.0, 1e-5, 1.0)


async def test_another_cohort_for_the_same_attempt_pays_too_for_the_first_may_have_been_asked():
    bed = Bed()
    await bed.admit(session(("ada", "cyd")))
    assert await bed.admit(session(("ada", "ben"))) == [(("ada", "ben"), 1.0, 1)]


async def test_it_is_the_subjects_of_clients_that_pay():
    bed = Bed()
    asked = session(("phone", "tablet"), subjects={"phone": "zoe", "tablet": "yan"})
    assert await bed.admit(asked) == [(("yan", "zoe"), 1.0, 1)]


async def test_where_lots_decide_everybody_pays_for_all_rounds_before_the_first_and_then_nothing_more():
    bed = Bed()
    assert await bed.admit(session(spec=SECRET)) == [(FLEET, 0.5, 3)]
    for number, attempt in [(1, 1), (1, 2), (2, 1), (3, 1)]:
        assert await bed.admit(session(("ben",), SECRET, number, attempt)) == []


async def test_who_comes_later_pays_for_the_rounds_that_it_can_be_drawn_in():
    bed = Bed()
    await bed.admit(session(spec=SECRET))
    more = session(spec=SECRET, number=2, eligible=5)
    assert await bed.admit(more, (*FLEET, "eve")) == [(("eve",), 0.4, 1)]
    assert await bed.admit(more, (*FLEET, "eve")) == []


async def test_where_a_smaller_fleet_is_drawn_from_more_often_all_pay_for_that_round():
    bed = Bed()
    await bed.admit(session(spec=SECRET))
    fewer = session(spec=SECRET, number=2, eligible=3)
    assert await bed.admit(fewer, FLEET[:3]) == [(FLEET[:3], 2 / 3, 1)]


async def test_more_subjects_than_a_charge_may_name_are_charged_in_parts(monkeypatch):
    monkeypatch.setattr("domain.learning.budget.release.MAX_SUBJECTS", 3)
    assert commands.MAX_SUBJECTS > 3
    bed = Bed()
    assert await bed.admit(session(spec=SECRET)) == [(FLEET[:3], 0.5, 3), (FLEET[3:], 0.5, 3)]
    assert [one.id for one in bed.budgets.charges] == ["c", "c/part-3"]


async def test_a_charge_that_is_refused_ends_the_cycle_with_the_numbers():
    with pytest.raises(Refusal) as refused:
        await Bed(refused={"cyd"}).admit(session())
    assert refused.value.field == OVERSPENT
    assert "before round 1 cyd would have spent 1.25 of 1 epsilon on the ledger wards; ask" in str(
        refused.value
    )
    with pytest.raises(
        Refusal, match=r"ada would have spent .* on the ledger wards, and 1 more subject would pass it"
    ):
        await Bed(refused={"ada", "cyd"}).admit(session())


async def test_what_is_stated_is_what_all_rounds_so_far_cost_together_and_does_not_change_when_asked_again():
    bed, said = Bed(), []
    for number in (1, 2, 3):
        asked = session(number=number)
        said.append((await bed.ledgers.stated(asked)).epsilon)
    assert said == [accountant.epsilon((Mechanism(5.0, 1.0, count),), 1e-5) for count in (1, 2, 3)]
    again = await bed.ledgers.stated(session(number=3, attempt=4))
    assert (again.method, again.epsilon, again.delta) == ("differential_privacy", said[2], 1e-5)


async def test_sampled_rounds_are_stated_at_the_probability_of_each():
    bed = Bed()
    await bed.ledgers.stated(session(spec=SECRET))
    said = await bed.ledgers.stated(session(spec=SECRET, number=2, eligible=3))
    wanted = accountant.epsilon((Mechanism(5.0, 0.5), Mechanism(5.0, 2 / 3)), 1e-5)
    assert said.epsilon == wanted < accountant.epsilon((Mechanism(5.0, 1.0, 2),), 1e-5)


@pytest.mark.parametrize(
    ("spec", "released"),
    [
        (PUBLIC, 1),  # the aggregator noises a sum, and of an abandoned attempt there is none
        (replace(PUBLIC, place="local"), 3),
        (PrivacySpec("hybrid", noise_multiplier=5.0, delta=1e-5), 3),
    ],
    ids=["central", "local", "hybrid"],
)
async def test_noise_of_the_clients_own_has_left_them_in_each_attempt(spec, released):
    asked = session(spec=spec, attempt=3)
    said = await Bed().ledgers.stated(asked)
    assert said.epsilon == accountant.epsilon((Mechanism(5.0, 1.0, released),), 1e-5)
