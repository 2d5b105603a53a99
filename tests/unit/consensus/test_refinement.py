"""What the next round votes on."""

from hypothesis import given
from hypothesis import strategies as st

from domain.consensus.events import Objection, Seat
from domain.consensus.policy import Policy
from domain.consensus.refinement import objections, refined_options
from domain.consensus.tally import count
from tests.unit.consensus.given import ballot
from tests.unit.drawing import examples

OPTIONS = ("red", "green", "blue", "grey")


def refined(said, floor=0.1, weights=None, options=OPTIONS):
    panel = [Seat(f"v{number}", weight) for number, weight in enumerate(weights or [1.0] * len(said))]
    cast = [ballot(f"v{number}", choice) for number, choice in enumerate(said)]
    return refined_options(options, count(panel, Policy(), cast, options), Policy(floor=floor))


def test_an_option_below_the_floor_leaves():
    said = ["red"] * 10 + ["green"] * 8 + ["blue"]
    assert refined(said) == ("red", "green")


def test_an_option_exactly_at_the_floor_stays():
    said = ["red"] * 5 + ["green"] * 4 + ["blue"]
    assert refined(said, floor=0.1) == ("red", "green", "blue")
    assert refined(said, floor=0.11) == ("red", "green")
    assert refined(["red", "green", "blue"], floor=0.1, weights=[0.5, 0.4, 0.1]) == ("red", "green", "blue")


def test_the_two_best_stay_however_high_the_floor():
    assert refined(["red"] * 5 + ["green"] * 3 + ["blue"] * 2, floor=1.0) == ("red", "green")


def test_options_that_tie_for_the_second_place_all_stay():
    assert refined(["red"] * 3 + ["green", "blue"], floor=0.9) == ("red", "green", "blue")
    assert refined(["red"] * 3, floor=0.9) == OPTIONS


def test_where_nothing_was_cast_every_option_stays():
    assert refined([None, None], floor=1.0) == OPTIONS


@examples(50)
@given(
    st.lists(st.sampled_from([*OPTIONS, None]), min_size=1, max_size=9),
    st.sampled_from([0.0, 0.1, 0.5, 1.0]),
    st.data(),
)
def test_at_least_two_options_stay_in_their_order_and_every_leader_among_them(said, floor, data):
    weights = [data.draw(st.sampled_from([0.1, 0.2, 0.3, 1.0])) for _ in said]
    options = tuple(data.draw(st.permutations(OPTIONS)))
    panel = [Seat(f"v{number}", weight) for number, weight in enumerate(weights)]
    counted = count(panel, Policy(), [ballot(f"v{n}", c) for n, c in enumerate(said)], options)
    kept = refined_options(options, counted, Policy(floor=floor))
    assert len(kept) >= 2
    assert set(counted.leading) <= set(kept)
    assert kept == tuple(option for option in options if option in kept)
    weight = {support.choice: support.weight for support in counted.tally}
    left = [weight.get(option, 0) for option in options if option not in kept]
    assert all(gone < weight.get(option, 0) for gone in left for option in kept)


def test_reasons_against_the_leading_choice_are_shown_to_the_next_round():
    cast = [
        ballot("ann", "red", reason="for it"),
        ballot("bob", "green", reason="against it"),
        ballot("cem", None, reason="not sure"),
        ballot("dee", "blue"),
        ballot("eve", "red"),
    ]
    counted = count([Seat(b.voter) for b in cast], Policy(), cast, OPTIONS)
    assert counted.leading == ("red",)
    assert objections(cast, counted) == (
        Objection("bob", "green", "against it"),
        Objection("cem", None, "not sure"),
    )


def test_where_choices_tie_none_of_them_is_an_objection_to_the_other():
    cast = [
        ballot("ann", "red", reason="r"),
        ballot("bob", "green", reason="g"),
        ballot("cem", None, reason="c"),
    ]
    counted = count([Seat(b.voter) for b in cast], Policy(), cast, OPTIONS)
    assert objections(cast, counted) == (Objection("cem", None, "c"),)


def test_objections_are_bounded_in_number_and_length():
    cast = [ballot(f"v{number}", "green", reason="r" * 2_000) for number in range(30)]
    cast += [ballot(f"w{number}", "red") for number in range(31)]
    counted = count([Seat(b.voter) for b in cast], Policy(), cast, OPTIONS)
    shown = objections(cast, counted)
    assert len(shown) == 20
    assert {len(objection.reason) for objection in shown} == {500}
