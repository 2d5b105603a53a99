"""Sums under masks, whoever drops out when."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.learning.policy import PrivacySpec
from domain.refusal import Refusal
from tests.unit.privacy.fleets import Fleet, plain_sum

QUICK = 25
"""Examples of the profile `quick`."""
STEPS = ("shares", "peers", "protect", "survivors", "unmask")


def check(found, fleet, session, survivors):
    """The sum is the plain one, within the bound that the encoding states."""
    total, weight = plain_sum([fleet.updates[client] for client in survivors])
    assert found.clients == tuple(survivors)
    assert found.weight == weight
    steps = (2**31 - 1) // len(fleet.cohort)
    bound = len(survivors) * session.spec.clip * session.weight_cap / steps / 2
    for name, values in total.items():
        assert found.total[name].shape == values.shape
        assert np.abs(found.total[name] - values).max() <= bound * (1 + 1e-6)


async def test_the_sum_of_masked_updates_is_the_sum_of_the_updates():
    fleet = await Fleet(5).begin()
    check(await fleet.drive().run(fleet.updates), fleet, fleet.session, fleet.cohort)


@settings(max_examples=8 if settings().max_examples == QUICK else 60)
@given(st.data())
async def test_whoever_drops_out_when_the_survivors_sum_is_exact(data):
    fleet = await Fleet(6, PrivacySpec("secure_mpc", threshold=0.51)).begin()
    leaving = data.draw(st.lists(st.sampled_from(fleet.cohort), max_size=2, unique=True))
    gone: dict[str, set[str]] = {step: set() for step in STEPS}
    for client in leaving:
        gone[data.draw(st.sampled_from(STEPS))].add(client)
    found = await fleet.drive(gone=gone).run(fleet.updates)
    lost = gone["shares"] | gone["peers"] | gone["protect"]
    check(found, fleet, fleet.session, [c for c in fleet.cohort if c not in lost])


@pytest.mark.parametrize("step", STEPS)
async def test_below_the_threshold_nothing_is_revealed(step):
    fleet = await Fleet(6, PrivacySpec("secure_mpc", threshold=0.51)).begin()
    gone = {step: set(fleet.cohort[:3])}
    with pytest.raises(Refusal, match=r"3 (of 6 clients are left, and 4|clients revealed, and 4) are needed"):
        await fleet.drive(gone=gone).run(fleet.updates)


@pytest.mark.parametrize("step", ["protect", "survivors"])
async def test_two_survivors_do_not_get_their_sum_since_each_would_know_the_other_s_update(step):
    fleet = await Fleet(3, PrivacySpec("secure_mpc", threshold=0.51)).begin()
    with pytest.raises(Refusal, match=r"2 (of 3 clients are left|clients revealed), and 3 are needed"):
        await fleet.drive(gone={step: {fleet.cohort[0]}}).run(fleet.updates)
