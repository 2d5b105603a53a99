"""The draw of a cohort: never somebody ineligible, never too many, the same again from the same seed."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.learning.fleet import Candidate, Client, DataOffer
from domain.learning.policy import CohortPolicy, DataSelector, PrivacySpec
from domain.learning.seeds import seed_of
from domain.learning.selection import allowed, cohort_size, draw, eligible, is_poisson
from domain.refusal import Refusal
from tests.unit.domain.learning.cycles import AT, REQUEST

WEEK = AT - timedelta(days=7)
OFFER = DataOffer("default", 10)
CLIENT = Client("a", (OFFER,), ("logistic-regression",))
HERE = Candidate(CLIENT, "h", "eu")
EUROPE = replace(REQUEST, cohort=CohortPolicy(share=1, minimum=1, regions=("eu",), network_mbps=5))


def candidates(count, subjects=None):
    return [
        Candidate(
            replace(CLIENT, id=f"c{n}", subject=None if subjects is None else f"s{n % subjects}"), "h", "eu"
        )
        for n in range(count)
    ]


@pytest.mark.parametrize(
    "fit",
    [
        {},
        {"charging": True, "unmetered": True},
        {"data": (DataOffer("other", 5), OFFER)},
        {"data": (replace(OFFER, since=WEEK - timedelta(days=9), until=WEEK + timedelta(seconds=1)),)},
        {"data": (replace(OFFER, since=AT - timedelta(seconds=1)),)},
        {"data": (replace(OFFER, quality=0.5),)},
    ],
)
def test_who_fits_is_eligible(fit):
    one = Candidate(replace(CLIENT, **fit), "h", "eu")
    assert eligible([one], EUROPE, WEEK, AT) == (one,)


@pytest.mark.parametrize(
    "unfit",
    [
        {"charging": False},
        {"unmetered": False},
        {"network_mbps": 4.9},
        {"trainers": ("mlp",)},
        {"data": ()},
        {"data": (replace(OFFER, name="other"),)},
        {"data": (replace(OFFER, rows=0),)},
        {"data": (replace(OFFER, quality=0.49),)},
        {"data": (replace(OFFER, since=AT),)},
        {"data": (replace(OFFER, until=WEEK),)},
    ],
)
def test_who_does_not_fit_is_never_eligible(unfit):
    assert eligible([Candidate(replace(CLIENT, **unfit), "h", "eu")], EUROPE, WEEK, AT) == ()


@pytest.mark.parametrize("method", ["secure_mpc", "homomorphic_encryption", "hybrid"])
def test_who_has_no_identity_is_not_asked_where_messages_are_signed(method):
    signed = replace(EUROPE, privacy=PrivacySpec(method))
    known = Candidate(replace(CLIENT, identity="A" * 43 + "="), "h", "eu")
    nobody = Candidate(replace(CLIENT, identity=None), "h", "eu")
    assert eligible([known], signed, WEEK, AT) == (known,)
    assert eligible([nobody], signed, WEEK, AT) == ()
    assert eligible([nobody], EUROPE, WEEK, AT) == (nobody,)


def test_who_says_that_it_cannot_encrypt_is_not_asked_to():
    encrypted = replace(EUROPE, privacy=PrivacySpec("homomorphic_encryption"))
    able, silent, unable = (
        Candidate(replace(CLIENT, id=f"c{said}", identity="A" * 43 + "=", encrypts=said), "h", "eu")
        for said in (True, None, False)
    )
    assert set(eligible([able, silent, unable], encrypted, WEEK, AT)) == {able, silent}
    others = replace(EUROPE, privacy=PrivacySpec("secure_mpc"))
    assert set(eligible([able, silent, unable], others, WEEK, AT)) == {able, silent, unable}


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"subject": "two words"}, "subject"),
        ({"subject": ""}, "subject"),
        ({"identity": ""}, "identity"),
        ({"identity": "A" * 44}, "identity"),
        ({"identity": "x" * 5_000}, "identity"),
        ({"trainers": ("\x1b[2J",)}, "trainers"),
        ({"trainers": ("m" * 129,)}, "trainers"),
    ],
)
def test_a_client_that_says_what_would_end_a_cycle_later_cannot_be_announced(said, field):
    with pytest.raises(Refusal) as refused:
        replace(CLIENT, **said)
    assert refused.value.field == field
    assert str(refused.value).isprintable()


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (PrivacySpec, {"ledger": "a/b"}),
        (PrivacySpec, {"key_holder": "\x1b"}),
        (CohortPolicy, {"regions": ("",)}),
    ],
)
def test_names_in_a_request_are_ids(made, said):
    with pytest.raises(Refusal, match=f"{next(iter(said))}: "):
        made(**said)


def test_a_time_range_is_a_second_at_least():
    assert DataSelector(days=1 / 86_400).days == 1 / 86_400
    for shorter in (0.999 / 86_400, 1e-300):
        with pytest.raises(Refusal, match=r"^days: \S+ is less than a second; the least is 1/86,400$"):
            DataSelector(days=shorter)


def test_another_region_is_not_asked_but_without_regions_all_are():
    elsewhere = replace(HERE, region="us")
    assert eligible([elsewhere], EUROPE, WEEK, AT) == ()
    assert eligible([elsewhere], REQUEST, WEEK, AT) == (elsewhere,)


@pytest.mark.parametrize(
    ("count", "share", "most"),
    [
        (10_000, 0.01, 99),
        (10_001, 0.01, 100),
        (4_000, 0.01, 39),
        (0, 0.01, 0),
        (10, 0.1, 0),
        (7, 1, 7),
        (3, 0.9, 2),
    ],
)
def test_a_share_allows_less_than_itself(count, share, most):
    assert allowed(count, share) == most


def test_contradictions_are_refused_with_the_numbers():
    with pytest.raises(Refusal) as few:
        cohort_size(4_000, CohortPolicy())
    assert str(few.value) == (
        "cohort: share 0.01 of 4,000 eligible allows 39, fewer than minimum 100: "
        "that needs more than 10,000 eligible, or set both"
    )
    with pytest.raises(Refusal, match="3 eligible, fewer than minimum 4"):
        cohort_size(3, CohortPolicy(share=1, minimum=4))
    with pytest.raises(Refusal, match="allows 4, fewer than size 5: raise share"):
        cohort_size(9, CohortPolicy(share=0.5, minimum=2, size=5))
    with pytest.raises(Refusal, match=r"9 eligible clients are of 3 subjects.*fewer than minimum 4"):
        draw(candidates(9, 3), CohortPolicy(share=1, minimum=4), 0, 1, 1)
    with pytest.raises(Refusal, match="fewer than size 5"):
        draw(candidates(9, 4), CohortPolicy(share=1, minimum=2, size=5), 0, 1, 1)


def test_three_are_asked_for_every_two_reports_as_far_as_the_share_allows():
    assert cohort_size(1000, CohortPolicy(share=1, minimum=7)) == 11
    assert cohort_size(18, CohortPolicy(share=0.5, minimum=7)) == 8
    assert len(draw(candidates(9, 4), CohortPolicy(share=1, minimum=3), 0, 1, 1)) == 4


@given(st.permutations(candidates(12, 9)), st.integers(0, 99))
def test_a_draw_is_of_nobody_else_one_for_each_subject_and_does_not_depend_on_the_order(order, seed):
    policy = CohortPolicy(share=0.9, minimum=4)
    drawn = draw(order, policy, seed, 2, 1)
    subject = {one.client.id: one.client.subject for one in order}
    assert drawn == draw(sorted(order, key=lambda one: one.client.id), policy, seed, 2, 1)
    assert [member.client for member in drawn] == sorted({member.client for member in drawn})
    assert len({subject[member.client] for member in drawn}) == len(drawn) == 6


def test_rounds_attempts_and_seeds_draw_others():
    many, policy = candidates(40), CohortPolicy(share=1, minimum=5)
    drawn = {draw(many, policy, *place) for place in [(0, 1, 1), (0, 2, 1), (0, 1, 2), (1, 1, 1)]}
    assert len(drawn) == 4


def test_lots_draw_each_with_the_same_probability():
    many, policy = candidates(50, 40), CohortPolicy(share=1, minimum=5, size=10)
    sizes = [len(draw(many, policy, seed, 1, 1, poisson=True)) for seed in range(100)]
    assert len(set(sizes)) > 5
    assert sum(sizes) / 100 == pytest.approx(10, abs=1.1)  # standard error 0.27
    assert draw(many, policy, 3, 1, 1, poisson=True) == draw(many[::-1], policy, 3, 1, 1, poisson=True)


@pytest.mark.parametrize(
    ("method", "sampling", "lots"),
    [
        ("differential_privacy", "secret", True),
        ("hybrid", "secret", True),
        ("hybrid", "public", False),
        ("none", "secret", False),
    ],
)
def test_lots_are_drawn_where_amplification_counts_on_them(method, sampling, lots):
    assert is_poisson(PrivacySpec(method, sampling=sampling)) == lots


def test_seeds_tell_places_apart():
    assert seed_of(1, "a", "bc") != seed_of(1, "ab", "c")
    assert 0 <= seed_of(2**53 - 1, 5) < 2**53


def test_the_holder_of_a_key_is_in_every_cohort_and_must_be_eligible():
    few = CohortPolicy(share=1, minimum=2, size=2)
    drawn = [draw(candidates(20), few, 1, number, 1, always="c7") for number in range(1, 9)]
    assert all("c7" in [member.client for member in cohort] for cohort in drawn)
    assert len(set(drawn)) > 1
    with pytest.raises(Refusal, match=r"privacy\.key_holder: nobody is not among the 20 eligible"):
        draw(candidates(20), few, 1, 1, 1, always="nobody")
