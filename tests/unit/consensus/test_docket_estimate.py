"""What is learned from a table before its items are decided, and its stored form."""

import numpy as np
import pytest

from domain.consensus.ballot_table import parse
from domain.consensus.docket_estimate import estimate_docket, from_bytes, to_bytes
from domain.consensus.policy import Policy
from domain.refusal import Refusal

TABLE = parse(
    b"item,voter,choice\n1,a,x\n1,b,x\n1,c,y\n2,a,y\n2,b,y\n2,c,y\n3,a,x\n3,b,y\n3,c,x\n", kind="csv"
)


@pytest.mark.parametrize("weighting", ["equal", "reputation", "posterior", "calibrated"])
def test_an_estimate_survives_its_stored_form_byte_for_byte(weighting):
    estimate = estimate_docket(TABLE, Policy(weighting=weighting), {"a": (3.0, 1.0)})
    again = from_bytes(to_bytes(estimate))
    assert to_bytes(again) == to_bytes(estimate)
    for item in range(3):
        assert again.of(item).posterior == estimate.of(item).posterior
        mine, theirs = again.of(item).weights, estimate.of(item).weights
        assert (mine is None and theirs is None) or list(mine) == list(theirs)
    assert again.standings == {"a": (3.0, 1.0)}


@pytest.mark.parametrize("weighting", ["posterior", "calibrated"])
def test_a_model_gives_every_item_a_distribution_over_all_choices(weighting):
    estimate = estimate_docket(TABLE, Policy(weighting=weighting), {})
    for item in range(3):
        posterior = estimate.of(item).posterior
        assert list(posterior) == ["x", "y"]
        assert np.isclose(sum(posterior.values()), 1.0)


def test_reputation_weighs_each_vote_and_equal_weighs_none():
    weighed = estimate_docket(TABLE, Policy(weighting="reputation"), {"a": (9.0, 1.0)})
    assert weighed.of(0).weights[0] == 0.9
    assert estimate_docket(TABLE, Policy(), {}).of(0).weights is None


@pytest.mark.parametrize(
    "raw", [b"", b"{}\n", b"[]\n", b'{"choices": ["a"], "standings": {}}\n', b"\x00\xff"]
)
def test_other_bytes_are_refused(raw):
    with pytest.raises(Refusal, match="not an estimate"):
        from_bytes(raw)
