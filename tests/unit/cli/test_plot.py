"""Plots of a few characters that a person can count by hand."""

from cli.plot import curve, plotted


def test_a_rising_curve_rises_from_the_lower_left_to_the_upper_right():
    assert curve([0, 1, 2, 3], height=1) == ["⡠⠊"]
    assert curve([3, 2, 1, 0], height=1) == ["⠑⢄"]


def test_what_is_unknown_leaves_a_gap_and_nothing_known_no_plot():
    assert curve([0, None, None, 3], height=1) == ["⡀⠈"]
    assert curve([None, None]) == []


def test_a_level_curve_lies_at_the_foot():
    assert curve([1, 1], height=2) == ["⠀", "⣀"]


def test_more_values_than_fit_are_thinned_and_the_last_one_stays():
    assert curve([0.0] * 99 + [1.0], width=5, height=1) == ["⣀⣀⣀⣀⡈"]


def test_a_plot_says_its_name_and_its_bounds():
    assert plotted("loss", [2.5, 1.0], height=2) == ["loss  2.5 ⠁", "        1 ⢀"]
    assert plotted("loss", [2.5]) == []
