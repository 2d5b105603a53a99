"""A policy says what it means or is refused by the field that does not."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.consensus.policy import Policy
from domain.refusal import Refusal

BOUNDS = {
    "threshold": (0, 1, True),
    "quorum": (0, 1, False),
    "max_rounds": (1, 20, False),
    "round_seconds": (0, 31_536_000, True),
    "floor": (0, 1, False),
    "stake_cap": (0, 1, True),
    "person_seconds": (0, 315_360_000, True),
    "seed": (0, 2**63 - 1, False),
    "panel_size": (1, 500, False),
}


@pytest.mark.parametrize(("field", "bounds"), BOUNDS.items())
def test_a_bound_is_allowed_and_what_lies_beyond_is_refused_by_name(field, bounds):
    low, high, open_low = bounds
    for good in [high, *([] if open_low else [low])]:
        assert getattr(Policy(**{field: good}), field) == good
    for bad in [high + 1, low - 1, *([low] if open_low else [])]:
        with pytest.raises(Refusal, match=f"{low} to {high}") as caught:
            Policy(**{field: bad})
        assert caught.value.field == field


@pytest.mark.parametrize("field", BOUNDS)
@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_what_is_no_finite_number_is_refused_in_every_field(field, bad):
    with pytest.raises(Refusal, match=f"^{field}: "):
        Policy(**{field: bad})


def test_the_defaults_are_those_of_the_documents():
    policy = Policy()
    assert (policy.threshold, policy.quorum, policy.max_rounds) == (0.75, 0.5, 3)
    assert (policy.weighting, policy.fault_model, policy.otherwise) == ("equal", None, "unresolved")


@pytest.mark.parametrize(
    ("field", "settings"),
    [
        ("faults", {"faults": 1}),
        ("faults", {"faults": 1, "fault_model": "crash"}),
        ("faults", {"faults": 1, "fault_model": "stake"}),
        ("faults", {"fault_model": "byzantine"}),
        ("faults", {"faults": -1, "fault_model": "byzantine"}),
        ("faults", {"faults": 501, "fault_model": "byzantine"}),
        ("fault_model", {"fault_model": "crash", "weighting": "posterior"}),
        ("fault_model", {"fault_model": "byzantine", "faults": 1, "weighting": "calibrated"}),
        ("fault_model", {"fault_model": "stake", "weighting": "posterior"}),
        ("weighting", {"fault_model": "stake", "weighting": "reputation"}),
    ],
)
def test_settings_that_contradict_each_other_are_refused_by_name(field, settings):
    with pytest.raises(Refusal) as caught:
        Policy(**settings)
    assert caught.value.field == field


@pytest.mark.parametrize(
    "settings",
    [
        {"fault_model": "crash", "weighting": "reputation"},
        {"fault_model": "byzantine", "faults": 1, "weighting": "reputation"},
        {"fault_model": "stake"},
        {"weighting": "posterior"},
    ],
)
def test_settings_that_go_together_are_taken(settings):
    Policy(**settings)


@given(st.floats())
def test_a_threshold_is_taken_exactly_where_a_share_can_reach_it(threshold):
    if 0 < threshold <= 1:
        assert Policy(threshold=threshold).threshold == threshold
    else:
        with pytest.raises(Refusal):
            Policy(threshold=threshold)
