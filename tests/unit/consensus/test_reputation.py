"""Standings fade, are moved only by rulings, and come out the same in any order on any machine."""

import math
from datetime import UTC, datetime, timedelta
from decimal import Decimal, localcontext
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.consensus import reputation
from domain.consensus.events import Score
from domain.consensus.reputation import (
    EPOCH,
    HALF_LIFE,
    ONE,
    Evidence,
    contribution,
    evidence,
    mean,
    mean_brier,
    standing,
)
from domain.refusal import Refusal

times = st.datetimes(datetime(2020, 1, 1), datetime(2056, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 # zone given beside
scores = st.builds(
    Score,
    voter=st.just("v"),
    right=st.sampled_from([True, False, None]),
    confidence=st.none() | st.floats(0, 1),
    equivocated=st.booleans(),
)


def exact(at: datetime) -> Decimal:
    """2^((at - EPOCH) / HALF_LIFE) * 2^20 to 90 digits."""
    with localcontext(prec=90):
        elapsed = Decimal((at - EPOCH) // timedelta(microseconds=1)) / (
            HALF_LIFE // timedelta(microseconds=1)
        )
        return Decimal(2) ** (elapsed + 20)


def spread(alpha: float, beta: float) -> float:
    return alpha * beta / ((alpha + beta) ** 2 * (alpha + beta + 1))


@given(times)
def test_a_contribution_is_the_power_of_two_to_sixty_bits(at: datetime) -> None:
    with localcontext(prec=90):
        assert abs(contribution(at) - exact(at)) <= exact(at) / 2**60 + Decimal("0.5")


@pytest.mark.parametrize("half_lives", range(-22, 124))
def test_at_whole_half_lives_it_is_exact(half_lives: int) -> None:
    expected = (1 << 20 + half_lives) if half_lives >= -20 else (1 if half_lives == -21 else 0)
    assert contribution(EPOCH + half_lives * HALF_LIFE) == expected


def test_known_contributions_never_change() -> None:
    """Sums on the log's read side were made with these; another value would be another history."""
    assert contribution(datetime(2026, 11, 21, 12, 30, 0, 123456, UTC)) == 12765857
    assert contribution(datetime(2055, 12, 31, tzinfo=UTC)) == 4634306130310742831705381862217529548390400


@given(times)
def test_seconds_since_1970_are_the_same_time(at: datetime) -> None:
    assert contribution(at.timestamp()) == contribution(at)


@given(times, times)
def test_a_later_ruling_never_counts_less(one: datetime, other: datetime) -> None:
    assert contribution(min(one, other)) <= contribution(max(one, other))


@pytest.mark.parametrize("at", [math.nan, math.inf, -math.inf, 1e15, -1e15])
def test_no_time_at_all_is_refused(at: float) -> None:
    with pytest.raises(Refusal, match="is no time before the year 10000"):
        contribution(at)


@given(st.lists(st.tuples(scores, times), max_size=12), st.randoms(use_true_random=False))
def test_rulings_may_arrive_in_any_order_and_in_any_batches(rulings: list, random) -> None:
    def total(parts: list) -> Evidence:
        return sum((evidence(score, at) for score, at in parts), Evidence())

    shuffled = random.sample(rulings, len(rulings))
    cut = random.randint(0, len(rulings))
    assert total(rulings) == total(shuffled) == total(shuffled[:cut]) + total(shuffled[cut:])


@given(st.lists(times, min_size=1, max_size=20).map(sorted), times)
def test_a_voter_that_is_always_wrong_falls_with_every_ruling(moments: list, now: datetime) -> None:
    sums = Evidence()
    means = [mean(*standing(sums.right, sums.wrong, now))]
    for at in moments:
        sums += evidence(Score("v", right=False), at)
        means.append(mean(*standing(sums.right, sums.wrong, now)))
    assert means[0] == 0.5
    # A ruling of long before `now` has faded below what a double shows.
    assert all(later <= earlier for earlier, later in pairwise(means))


def test_a_voter_that_is_always_wrong_falls_in_its_own_time_too() -> None:
    sums, means = Evidence(), []
    for week in range(60):
        at = EPOCH + timedelta(weeks=week)
        sums += evidence(Score("v", right=False), at)
        means.append(mean(*standing(sums.right, sums.wrong, at)))
    assert all(later < earlier < 0.5 for earlier, later in pairwise(means))


@given(st.integers(0, 10**9), st.integers(0, 10**9), times, st.floats(0.01, 40))
def test_with_time_a_standing_moves_to_the_prior(right: int, wrong: int, at: datetime, years: float) -> None:
    unit = contribution(at) or 1
    now = standing(right * unit, wrong * unit, at)
    later = standing(right * unit, wrong * unit, at + years * timedelta(days=365))
    assert all(1 <= after <= before for before, after in zip(now, later, strict=True))
    assert abs(mean(*later) - 0.5) <= abs(mean(*now) - 0.5) + 1e-12


def test_evidence_halves_in_ninety_days() -> None:
    sums = evidence(Score("v", right=True), EPOCH)
    assert standing(sums.right, sums.wrong, EPOCH) == (2.0, 1.0)
    assert standing(sums.right, sums.wrong, EPOCH + timedelta(days=90)) == (1.5, 1.0)
    assert standing(sums.right, sums.wrong, EPOCH + timedelta(days=180)) == (1.25, 1.0)


@given(st.integers(0, 1000), st.integers(0, 1000), st.integers(1, 10))
def test_more_evidence_of_the_same_kind_narrows_the_standing(right: int, wrong: int, times_more: int) -> None:
    few = standing(right * ONE, wrong * ONE, EPOCH)
    many = standing((right + 1) * (times_more + 1) * ONE, (wrong + 1) * (times_more + 1) * ONE, EPOCH)
    assert spread(*many) < spread(*few)


@given(st.integers(0, 1 << 200), st.integers(0, 1 << 200), times)
def test_a_mean_never_leaves_the_open_interval(right: int, wrong: int, at: datetime) -> None:
    assert 0 < mean(*standing(right, wrong, at)) < 1


def test_a_ruling_dated_in_the_far_future_cannot_break_a_standing() -> None:
    far = contribution(datetime(9999, 12, 31, tzinfo=UTC))
    assert 0 < mean(*standing(far, 0, EPOCH - 400 * HALF_LIFE)) < 1
    assert 0 < mean(*standing(0, far, EPOCH)) < 1


def test_what_a_score_adds() -> None:
    unit = contribution(EPOCH)
    assert evidence(Score("v", right=True), EPOCH) == Evidence(right=unit)
    assert evidence(Score("v", right=False), EPOCH) == Evidence(wrong=unit)
    assert evidence(Score("v", right=None, confidence=0.9), EPOCH) == Evidence()
    assert evidence(Score("v", right=True, confidence=0.75), EPOCH) == Evidence(unit, 0, ONE // 16, 1)
    assert evidence(Score("v", right=False, confidence=0.75), EPOCH) == Evidence(0, unit, 9 * ONE // 16, 1)


def test_an_equivocation_counts_as_two_wrong_ballots_whatever_it_is_scored() -> None:
    for right in (True, False, None):
        score = Score("v", right=right, confidence=0.5, equivocated=True)
        assert evidence(score, EPOCH) == Evidence(wrong=2 * contribution(EPOCH))
    assert reputation.EQUIVOCATION == 2


def test_the_mean_brier_score_is_over_stated_confidences_only() -> None:
    silent = evidence(Score("v", right=True), EPOCH)
    assert mean_brier(silent) is None
    sums = silent + evidence(Score("v", right=True, confidence=0.5), EPOCH)
    sums += evidence(Score("v", right=False, confidence=1.0), EPOCH + HALF_LIFE)
    assert mean_brier(sums) == pytest.approx((0.25 + 1) / 2)
