"""What the accountant of a cycle says is spent, round by round."""

from importlib.util import find_spec

import pytest

from activities.privacy.ledgers import Ledgers
from activities.privacy.port import Session
from domain.learning.budget.commands import Charged
from domain.learning.policy import PrivacySpec
from tests.fakes.journal import MemoryJournal

pytestmark = pytest.mark.skipif(find_spec("dp_accounting") is None, reason="needs folkmoot[learning]")


class Open:
    """Ledgers that grant everything."""

    async def charge(self, charge):  # noqa: ARG002 # the port's shape
        return Charged(granted=True, epsilon=0.0)


def session(number=1, attempt=1, **changes):
    spec = PrivacySpec("differential_privacy", noise_multiplier=8.0, **changes)
    return Session("c", number, attempt, 10, ("ada", "ben"), 2, {}, spec, ())


async def stated(*sessions):
    ledgers = Ledgers(Open(), MemoryJournal())
    return [await ledgers.stated(one) for one in sessions]


async def test_every_round_adds_to_what_is_spent_and_a_repeat_adds_nothing():
    one, again, two = await stated(session(), session(), session(2))
    assert (one.method, one.delta) == ("differential_privacy", 1e-5)
    assert one == again
    assert 0 < one.epsilon < two.epsilon


async def test_abandoned_attempts_count_where_each_was_a_release():
    (central,), (late,) = await stated(session()), await stated(session(attempt=5))
    assert central == late
    (local,), (late,) = await stated(session(place="local")), await stated(session(attempt=5, place="local"))
    assert local.epsilon < late.epsilon
