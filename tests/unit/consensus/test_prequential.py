"""A docket's votes are weighed by earlier items alone, and its voters are accounted for at the end."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.consensus import reputation
from domain.consensus.account import VoterAccount, accounts
from domain.consensus.ballot_table import BallotTable, parse
from domain.consensus.policy import Policy
from domain.consensus.prequential import prequential_weights

HALF = Policy(threshold=0.5, weighting="reputation")


def table_of(*rows: str) -> BallotTable:
    return parse(("item,voter,choice\n" + "\n".join(rows)).encode(), kind="csv")


def test_the_first_item_weighs_all_alike_and_the_next_by_what_it_showed() -> None:
    table = table_of("1,a,x", "1,b,x", "1,c,y", "2,a,y", "2,c,x", "2,d,x")
    assert prequential_weights(table, HALF) == [(0.5, 0.5, 0.5), (0.666667, 0.333333, 0.5)]


def test_an_item_without_consensus_moves_nobody() -> None:
    table = table_of("1,a,x", "1,b,y", "2,a,x", "2,b,x")
    assert prequential_weights(table, HALF)[1] == (0.5, 0.5)


def test_an_abstention_by_its_own_tie_moves_nobody() -> None:
    table = table_of("1,a,x", "1,b,x", "1,c,x", "1,c,y", "2,a,x", "2,c,x")
    assert prequential_weights(table, HALF)[1] == (0.666667, 0.5)


def test_standings_from_before_the_docket_weigh_from_its_first_item() -> None:
    table = table_of("1,a,x", "1,b,y", "2,a,x", "2,b,y")
    before = {"a": (9.0, 1.0)}
    assert prequential_weights(table, HALF, before) == [(0.9, 0.5), (0.909091, 0.333333)]


def test_a_voter_that_was_all_but_always_wrong_weighs_as_little_as_on_a_panel_and_not_nothing() -> None:
    hopeless = {"a": (1.0, 1e9)}
    assert prequential_weights(table_of("1,a,x"), HALF, hopeless) == [(reputation.LEAST,)]


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 9), st.integers(0, 5), st.sampled_from("xyz")), min_size=2, max_size=60
    ),
    st.integers(1, 9),
)
def test_later_items_change_no_earlier_weight(rows: list, cut: int) -> None:
    ordered = [f"{item},{voter},{choice}" for item, voter, choice in sorted(rows)]
    table = table_of(*ordered)
    head = [row for row in ordered if row.split(",")[0] in table.items[:cut]]
    whole = prequential_weights(table, HALF)
    assert whole[:cut] == prequential_weights(table_of(*head), HALF)[:cut]
    assert all(0 < weight < 1 for weights in whole for weight in weights)


def test_a_voter_that_is_always_wrong_loses_weight_item_by_item() -> None:
    rows = [
        f"{item},{voter},{'y' if voter == 'bad' else 'x'}" for item in range(9) for voter in ("a", "b", "bad")
    ]
    weights = [row[2] for row in prequential_weights(table_of(*rows), HALF)]
    assert weights == sorted(weights, reverse=True)
    assert weights[0] == 0.5
    assert weights[-1] == 0.1


def test_accounts_count_items_and_agreement_where_no_model_was_asked() -> None:
    table = table_of("1,a,x", "1,a,x", "1,b,y", "2,a,x", "2,b,x", "3,c,x")
    assert accounts(table, ["x", None, None]) == [
        VoterAccount("a", 2, 2 / 3, 1.0),
        VoterAccount("b", 2, 1 / 3, 0.0),
        VoterAccount("c", 1, 0.5, None),
    ]


def test_accounts_state_a_models_estimate_and_the_standing_from_before() -> None:
    table = table_of("1,a,x", "1,b,y")
    found = accounts(table, ["x"], accuracies=[0.8, 0.3], before={"b": (8.0, 1.0)})
    assert [voter.accuracy for voter in found] == [0.8, 0.3]
    assert [voter.reputation for voter in found] == [pytest.approx(2 / 3), 0.8]


def test_accounts_score_the_confidences_that_a_voter_stated_where_something_was_decided() -> None:
    rows = "1,a,x,0.9\n1,b,y,0.6\n2,a,y,1\n2,b,y,\n3,a,x,0.5\n3,c,x,"
    table = parse(f"item,voter,choice,confidence\n{rows}\n".encode(), kind="csv")
    found = {voter.voter: voter.brier for voter in accounts(table, ["x", "y", None])}
    assert found["a"] == pytest.approx((0.1**2 + 0) / 2, abs=1e-6)
    assert found["b"] == pytest.approx(0.6**2, abs=1e-6)
    assert found["c"] is None
