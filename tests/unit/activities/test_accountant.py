"""The accountant against dp-accounting's own composition, and against the Gaussian mechanism's formula."""

import math
import sys
from importlib.util import find_spec
from statistics import NormalDist

import pytest

from activities.privacy import accountant, calibration
from activities.privacy.accountant import calibrate, epsilon
from domain.learning.mechanism import Mechanism
from domain.learning.policy import PrivacySpec
from domain.refusal import Refusal

pytestmark = pytest.mark.skipif(find_spec("dp_accounting") is None, reason="needs folkmoot[learning]")
PHI = NormalDist().cdf


def delta_of(noise, spent):
    """Balle and Wang 2018, theorem 8: the exact delta of one Gaussian release."""
    return PHI(1 / (2 * noise) - spent * noise) - math.exp(spent) * PHI(-1 / (2 * noise) - spent * noise)


@pytest.mark.parametrize(("noise", "delta"), [(0.7, 1e-3), (1.0, 1e-5), (4.0, 1e-6)])
def test_one_release_costs_what_the_formula_says(noise, delta):
    assert math.isclose(delta_of(noise, epsilon((Mechanism(noise),), delta)), delta, rel_tol=1e-6)


def test_releases_on_everybody_are_one_with_less_noise():
    assert math.isclose(epsilon((Mechanism(4.0, 1.0, 16),), 1e-5), epsilon((Mechanism(1.0),), 1e-5))


def test_sampled_releases_cost_what_dp_accounting_composes():
    import dp_accounting
    from dp_accounting.pld import PLDAccountant

    whole = PLDAccountant()
    whole.compose(dp_accounting.PoissonSampledDpEvent(0.25, dp_accounting.GaussianDpEvent(8.0)), 3)
    whole.compose(dp_accounting.GaussianDpEvent(16.0))
    ours = epsilon((Mechanism(8.0, 0.25, 3), Mechanism(16.0)), 1e-3)
    assert math.isclose(ours, whole.get_epsilon(1e-3), rel_tol=1e-3)


def test_sampling_makes_a_release_cheaper_and_a_second_release_dearer():
    plain, sampled = epsilon((Mechanism(8.0),), 1e-3), epsilon((Mechanism(8.0, 0.25),), 1e-3)
    assert sampled < plain < epsilon((Mechanism(8.0), Mechanism(8.0, 0.25)), 1e-3)


def test_nothing_costs_nothing_and_next_to_no_noise_is_said_in_a_number():
    assert epsilon((), 1e-5) == 0.0
    assert epsilon((Mechanism(1e-9),), 1e-5) == accountant.MOST


@pytest.mark.parametrize("target", [0.1, 1.0, 8.0, 1e4])
def test_calibrated_noise_is_just_enough_for_the_whole_schedule(target):
    noise = calibrate(target, 1e-5, 1.0, 40)
    assert 0.999 * target < epsilon((Mechanism(noise, 1.0, 40),), 1e-5) <= target


def test_noise_that_would_never_be_enough_is_refused():
    with pytest.raises(Refusal, match="epsilon: no noise is enough"):
        calibrate(1e-9, 1e-15, 1.0, 1_000_000)


def test_each_group_is_calibrated_to_its_own_epsilon():
    spec = PrivacySpec("differential_privacy", epsilon={"context": 1.0, "reasoning": 2.0}, budget=100.0)
    noise = calibration.calibrate(spec, 10, 5, 5).noise_multiplier
    assert noise == {group: calibrate(spent, 1e-5, 1.0, 10) for group, spent in spec.epsilon.items()}
    assert noise["context"] > noise["reasoning"]


def test_adaptive_clipping_of_cohorts_that_are_too_small_is_refused_before_anybody_is_charged():
    spec = PrivacySpec("differential_privacy", noise_multiplier=6, clipping="adaptive", budget=100.0)
    with pytest.raises(
        Refusal, match="clipping: adaptive does not go with this noise: a count of 60 clients"
    ):
        calibration.calibrate(spec, 2, 60, 60)
    assert calibration.calibrate(spec, 2, 61, 61) == spec


def test_without_the_extra_the_line_names_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "dp_accounting", None)
    monkeypatch.setitem(sys.modules, "dp_accounting.pld", None)
    for mechanism in (Mechanism(3.25), Mechanism(3.25, 0.5)):
        with pytest.raises(Refusal, match=r"pip install 'folkmoot\[learning\]'"):
            epsilon((mechanism,), 1e-5)
