"""The read model of privacy ledgers: rows from events, sums that are exact, records that cannot follow."""

from datetime import UTC, datetime

import pytest
from hypothesis import given

from domain.consensus.events import BallotCast
from domain.learning.budget.events import BudgetRefused, Spent
from domain.learning.budget.state import CLOSED
from domain.learning.mechanism import Mechanism
from domain.refusal import ImpossibleEvent
from eventlog.codec import decode, encode
from projections.budget import BILLION, BudgetProjection
from tests.unit.domain.learning.test_budget import CHARGES, OPENED, asked, charged, spent, told
from tests.unit.drawing import examples

PROJECTION = BudgetProjection()


def projected(events):
    """The row and the sums, each event read from its stored form and each row from the one before."""
    state, sums = None, {}
    for event in (decode(encode(event)) for event in events):
        state = PROJECTION.fold(state, event)
        for key, added in PROJECTION.adds(state, event):
            sums[key] = tuple(map(sum, zip(sums.get(key, (0, 0)), added, strict=True)))
        state = PROJECTION.state(PROJECTION.row(state))
    return state, sums


@examples(20)
@given(CHARGES)
def test_the_sums_are_what_the_ledger_says_of_everybody(charges):
    ledger, events = asked(CLOSED, *charges)
    row, sums = projected(events)
    assert sums == {
        ("wards", subject): (round(account.epsilon * BILLION), account.releases)
        for subject, account in ledger.accounts.items()
    }
    if row is not None:
        assert row.charges + row.refusals == len(ledger.answers)
        assert row.largest == max((one.epsilon for one in ledger.accounts.values()), default=0.0)
        assert not PROJECTION.settled(row)


def test_a_charge_in_parts_counts_once_it_is_whole():
    parts = [charged(spent(subjects=(name,)), part=n, parts=2) for n, name in enumerate("ab", 1)]
    events = told(OPENED, *parts)
    assert projected(events[:2])[0].charges == 0
    assert projected(events)[0].charges == 1


@pytest.mark.parametrize(
    "data",
    [
        [BallotCast("ada", 1, "a")],
        [charged(spent())],
        [OPENED, OPENED],
        [OPENED, charged(spent(after=1.1))],
        [OPENED, charged(spent(), part=2, parts=2)],
        [OPENED, charged(spent(), parts=2), charged(spent(), name="r2")],
    ],
)
def test_what_no_ledger_would_write_is_refused(data):
    *before, last = told(*data)
    state = projected(before)[0]
    with pytest.raises(ImpossibleEvent):
        PROJECTION.fold(state, last)


def test_a_refusal_charges_nobody():
    refused = BudgetRefused("r1", "d", Mechanism(1.0), 2, 1, (), 0.0)
    row, sums = projected(told(OPENED, refused))
    assert (row.refusals, row.charges, sums) == (1, 0, {})
    assert row.charged_at == datetime(2026, 11, 22, tzinfo=UTC)


def test_the_largest_is_of_anybody_ever_charged():
    low, high = spent(subjects=("ada",), after=0.2), Spent(("ben",), 1, 0.0, 0.7)
    row, _ = projected(told(OPENED, charged(high, low)))
    assert row.largest == 0.7
