"""Secure sums with noise of which each client adds its share; the sampler is a fake of the exact one."""

from dataclasses import dataclass

import numpy as np
import pytest

from activities.privacy.port import RoundLost
from activities.privacy.terms import Noise, Terms
from domain.learning.policy import PrivacySpec
from domain.refusal import Refusal
from tests.unit.privacy.fleets import Fleet

CLIP = 0.5


@dataclass(frozen=True)
class Part:
    tensors: tuple[str, ...]
    norm: float
    deviation: float


def everything(spec, schema):
    return {"all": Part(tuple(one.name for one in schema), spec.clip, spec.noise_multiplier * spec.clip)}


def by_tensor(spec, schema):
    return {one.name: Part((one.name,), spec.clip, n * spec.clip) for n, one in enumerate(schema, 1)}


def clip(tensors, norm, _rule):
    found = np.sqrt(sum(np.square(array).sum() for array in tensors.values()))
    return {name: array * min(1, norm / found * (1 - 1e-9)) for name, array in tensors.items()}


def sample(scale, size, draw):
    """Twelve uniform numbers less six are nearly Gaussian."""
    uniform = np.frombuffer(draw(12 * 4 * size), "<u4").reshape(12, size) / 2**32
    return np.rint(scale * (uniform.sum(axis=0) - 6)).astype(np.int64)


def silent(_scale, size, _draw):
    return np.zeros(size, np.int64)


def spec_of(**given):
    return PrivacySpec("hybrid", clip=CLIP, noise_multiplier=1.0, threshold=0.6, **given)


def clipped_sum(fleet, clients):
    changes = []
    for client in clients:
        update = fleet.updates[client]
        whole = {**update.context_patterns, **update.personality_evolutions}
        changes.append(clip(whole, CLIP, "flat"))
    return {name: sum(change[name] for change in changes) for name in changes[0]}


async def test_without_its_noise_it_is_the_sum_of_clipped_updates_that_all_weigh_the_same():
    fleet = await Fleet(5, spec_of(), Noise(everything, clip, silent)).begin()
    found = await fleet.drive(gone={"protect": {"c04"}}).run(fleet.updates)
    wanted = clipped_sum(fleet, fleet.cohort[:4])
    assert found.weight == 4
    for name, values in wanted.items():
        assert found.total[name] == pytest.approx(values, abs=1e-6)


async def test_the_noise_of_survivors_adds_up_to_at_least_what_was_asked_for():
    fleet = await Fleet(5, spec_of(), Noise(everything, clip, sample)).begin()
    off = []
    for attempt in range(1, 9):
        await fleet.begin(attempt=attempt)
        found = await fleet.drive(gone={"protect": {"c04"}}).run(fleet.updates)
        wanted = clipped_sum(fleet, fleet.cohort[:4])
        off += [(found.total[name] - wanted[name]).ravel() for name in wanted]
    spread = np.concatenate(off).std()  # four of five survive, the threshold: just the noise asked for
    assert CLIP * 0.7 < spread < CLIP * 1.3  # 88 numbers: one standard error is 8 %


async def test_a_retried_release_has_the_noise_it_had():
    fleet = await Fleet(4, spec_of(), Noise(everything, clip, sample)).begin()
    drive = fleet.drive()
    await drive.run(fleet.updates)
    for client in fleet.cohort:
        again = await fleet.restart(client).protect(fleet.session, fleet.updates[client])
        assert again.content == drive.protected[client]
        assert again.level == "secure_sum_with_dp"


async def test_each_part_has_noise_of_its_own():
    fleet = await Fleet(5, spec_of(), Noise(by_tensor, clip, sample)).begin()
    terms = Terms.of(fleet.session, fleet.noise)
    bias, weights = (terms.share(part) for part in terms.parts)
    assert weights == pytest.approx(2 * bias)
    assert bias * terms.fixed.step * np.sqrt(terms.threshold) == pytest.approx(CLIP)
    found = await fleet.drive().run(fleet.updates)
    assert found.weight == 5


async def test_clipping_by_norms_that_are_hidden_is_refused():
    fleet = await Fleet(4, spec_of(clipping="adaptive"), Noise(everything, clip, sample)).begin()
    with pytest.raises(Refusal, match="clipping: adaptive asks for each client's norm"):
        await fleet.drive().run(fleet.updates)


async def test_a_part_beyond_the_clip_is_refused():
    def wider(_spec, schema):
        return {"all": Part(tuple(one.name for one in schema), 2 * CLIP, 1.0)}

    fleet = await Fleet(4, spec_of(), Noise(wider, clip, sample)).begin()
    with pytest.raises(Refusal, match="clip: is below the norm of a part"):
        await fleet.drive().run(fleet.updates)


async def test_other_noise_at_the_aggregator_than_at_the_clients_is_noticed():
    fleet = await Fleet(4, spec_of(), Noise(everything, clip, sample)).begin()
    fleet.aggregator._noise = Noise(by_tensor, clip, sample)
    with pytest.raises(RoundLost, match="was changed, or is for other survivors"):
        await fleet.drive().run(fleet.updates)
    await fleet.begin(attempt=2)
    fleet.aggregator._noise = Noise(by_tensor, clip, sample)
    with pytest.raises(RoundLost, match="0 of 4 clients are left, and 3 are needed; c00: keys: they are not"):
        await fleet.drive().run(fleet.updates)
