"""What is said of clients that may not be asked."""

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.learning.fleet import Candidate, Client, DataOffer
from domain.learning.ineligible import obstacles
from domain.learning.policy import CohortPolicy, PrivacySpec
from tests.unit.domain.learning.cycles import AT, REQUEST

WEEK = AT - timedelta(days=7)
OFFER = DataOffer("default", 10)
CLIENT = Client("a", (OFFER,), ("logistic-regression",))
EUROPE = replace(REQUEST, cohort=CohortPolicy(share=1, minimum=1, regions=("eu",), network_mbps=5))


@pytest.mark.parametrize(
    ("unfit", "why"),
    [
        ({"trainers": ("mlp",)}, "without the trainer logistic-regression"),
        ({"charging": False}, "on battery"),
        ({"unmetered": False}, "on a metered link"),
        ({"network_mbps": 4.9}, "below 5 Mbit/s"),
        ({"data": ()}, "without data 'default'"),
        ({"data": (replace(OFFER, rows=0),)}, "without data 'default'"),
        ({"data": (replace(OFFER, since=AT),)}, "without rows of the time range"),
        ({"data": (replace(OFFER, until=WEEK),)}, "without rows of the time range"),
        ({"data": (replace(OFFER, quality=0.49),)}, "of a quality below 0.5"),
    ],
)
def test_what_keeps_a_client_out_is_named(unfit, why):
    found = [Candidate(CLIENT, "h", "eu"), Candidate(replace(CLIENT, id="b", **unfit), "h", "eu")]
    assert obstacles(found, EUROPE, WEEK, AT) == f"of 2 announced: 1 {why}"


def test_the_most_frequent_obstacle_is_told_first():
    away = [Candidate(replace(CLIENT, id=f"u{n}"), "h", "us") for n in range(3)]
    weak = Candidate(replace(CLIENT, network_mbps=1.0), "h", "eu")
    assert obstacles([weak, *away], EUROPE, WEEK, AT) == (
        "of 4 announced: 3 of other regions, 1 below 5 Mbit/s"
    )


def test_a_client_without_an_identity_cannot_sign():
    hidden = replace(EUROPE, privacy=PrivacySpec("secure_mpc"))
    assert obstacles([Candidate(CLIENT, "h", "eu")], hidden, WEEK, AT).endswith("1 without an identity")


def test_a_client_whose_host_cannot_encrypt_is_named_where_that_is_asked_for():
    client = replace(CLIENT, identity="A" * 43 + "=", encrypts=False)
    encrypted = replace(EUROPE, privacy=PrivacySpec("homomorphic_encryption", key_holder="a"))
    said = obstacles([Candidate(client, "h", "eu")], encrypted, WEEK, AT)
    assert said == "of 1 announced: 1 without the extra 'encryption'"
    assert obstacles([Candidate(client, "h", "eu")], EUROPE, WEEK, AT) == ""


def test_where_everybody_is_eligible_nothing_is_said():
    assert obstacles([Candidate(CLIENT, "h", "eu")], EUROPE, WEEK, AT) == ""
