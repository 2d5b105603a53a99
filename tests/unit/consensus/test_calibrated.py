"""Calibrated probabilities: better than plain EM's where EM is overconfident, as accurate, and lawful."""

import json
import math
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench import crowd_families as families
from bench import crowds as bench
from domain.consensus import calibrated, copying, dawid_skene
from domain.consensus.ballot_table import parse
from domain.consensus.crowd import Crowd, Estimate
from domain.consensus.dawid_skene import Cells
from domain.consensus.design_effect import shrinkage
from domain.consensus.gamma import digamma, log_gamma
from domain.consensus.population import Population
from tests.unit.drawing import examples


def crowd_of(labels: list[tuple[int, int, int]]) -> Crowd:
    rows = "".join(f"{item},{voter},{choice}\n" for item, voter, choice in labels)
    return Crowd.of(parse(b"item,voter,choice\n" + rows.encode(), kind="csv"))


def drawn(seed: int, items: int, skill: list[float], choices: int = 3) -> tuple[Crowd, np.ndarray]:
    """Every voter labels every item, right with its own probability."""
    random = np.random.default_rng(seed)
    truth = random.integers(choices, size=items)
    item, voter = np.repeat(np.arange(items), len(skill)), np.tile(np.arange(len(skill)), items)
    right = random.random(len(item)) < np.array(skill)[voter]
    wrong = (truth[item] + random.integers(1, choices, size=len(item))) % choices
    return Crowd(items, len(skill), choices, item, voter, np.where(right, truth[item], wrong)), truth


@pytest.mark.parametrize(
    ("family", "seed"),
    [
        (families.independent, 1),
        (families.few_labels, 1),
        (families.imbalanced, 1),
        (families.hard_items, 1),
        (families.spammers, 1),
        (families.clique, 1),
    ],
)
def test_it_knows_better_what_it_knows_than_plain_em_and_errs_no_more(family, seed: int) -> None:
    known = bench.drawn_crowds(family, seed, 2)
    plain = np.mean([bench.scores(dawid_skene.estimate(k.crowd).posterior, k.truth) for k in known], axis=0)
    ours = np.mean([bench.scores(calibrated.estimate(k.crowd).posterior, k.truth) for k in known], axis=0)
    assert ours[0] >= plain[0] - 0.002
    assert ours[1] < plain[1]
    assert ours[2] < plain[2]


def test_copies_of_one_voter_count_as_about_one() -> None:
    crowd, _ = drawn(4, 300, [0.7] * 7)
    leader = crowd.choice[crowd.voter == 0]
    choice = np.where(crowd.voter <= 2, leader[crowd.item], crowd.choice)
    copied = Crowd(300, 7, 3, crowd.item, crowd.voter, choice)
    weights = copying.label_weights(copied)
    assert weights[copied.voter <= 2].mean() == pytest.approx(1 / 3, abs=0.05)
    assert weights[copied.voter > 2].mean() > 0.98
    assert copying.label_weights(crowd).mean() > 0.98


def test_good_voters_are_not_taken_for_copies_of_one_another() -> None:
    crowd, _ = drawn(5, 300, [0.95, 0.95, 0.95, 0.9, 0.5, 0.4, 0.35])
    assert copying.label_weights(crowd).min() > 0.9


def test_only_the_busiest_voters_are_compared_the_rest_count_in_full(monkeypatch: pytest.MonkeyPatch) -> None:
    crowd, _ = drawn(6, 200, [0.7] * 8)
    leader = crowd.choice[crowd.voter == 0]
    choice = np.where(crowd.voter < 2, leader[crowd.item], crowd.choice)
    same = Crowd(200, 8, 3, crowd.item, crowd.voter, choice)
    monkeypatch.setattr(copying, "MOST_VOTERS", 7)
    monkeypatch.setattr(copying, "_CHUNK", 7)
    weights = copying.label_weights(same)
    assert weights[same.voter < 2].mean() < 0.6
    assert np.all(weights[same.voter == 7] == 1)


def test_a_voter_that_does_not_look_is_found_out() -> None:
    crowd, _ = drawn(7, 200, [0.85] * 6 + [1 / 3] * 2)
    always = np.where(crowd.voter == 7, 1, crowd.choice)
    crowd = Crowd(crowd.items, crowd.voters, crowd.choices, crowd.item, crowd.voter, always)
    cells, posterior = Cells.of(crowd), np.ascontiguousarray(calibrated.estimate(crowd).posterior.T)
    population = Population.of(crowd, cells, posterior)
    for _ in range(30):
        population.learn(crowd, cells, posterior)
    assert population.blind[6:].min() > 0.95
    assert population.blind[:6].max() < 0.05
    rows = population.confusion(cells)[7]
    assert np.ptp(rows, axis=0).max() < 0.05  # whatever the truth, it says the same


def test_labels_of_a_crowd_that_errs_together_count_for_less() -> None:
    assert shrinkage(np.array([1.0, 5.0]), 0.0).tolist() == [1.0, 1.0]
    assert shrinkage(np.array([0.5, 1.0, 5.0]), 0.25).tolist() == [1.0, 1.0, 0.5]
    together = bench.drawn_crowds(families.hard_items, 3, 1)
    for known in together:
        plain, ours = dawid_skene.estimate(known.crowd), calibrated.estimate(known.crowd)
        assert ours.posterior.max(axis=1).mean() < plain.posterior.max(axis=1).mean()


labels = st.lists(
    st.tuples(st.integers(0, 7), st.integers(0, 4), st.integers(0, 3)), min_size=1, max_size=60
).map(lambda rows: [tuple(row) for row in rows])


@examples(20)
@given(labels)
def test_what_it_states_are_probabilities_whatever_the_table(rows: list) -> None:
    found = calibrated.estimate(crowd_of(rows))
    assert found.posterior.sum(axis=1) == pytest.approx(1)
    assert found.confusion.sum(axis=2) == pytest.approx(np.ones(found.confusion.shape[:2]))
    assert found.marginals.sum() == pytest.approx(1)
    assert min(found.posterior.min(), found.confusion.min(), found.marginals.min()) >= 0
    assert found.log_likelihood <= 1e-9
    assert np.all((found.accuracies() >= 0) & (found.accuracies() <= 1))


@examples(20)
@given(st.integers(0, 10_000), st.randoms(use_true_random=False))
def test_renaming_items_voters_and_choices_renames_the_result(seed: int, random) -> None:
    crowd, _ = drawn(seed, 12, [0.8, 0.7, 0.6, 0.5])
    items, voters, choices = (
        np.array(random.sample(range(size), size)) for size in (crowd.items, crowd.voters, crowd.choices)
    )
    order = np.array(random.sample(range(len(crowd.item)), len(crowd.item)))
    columns = (items[crowd.item][order], voters[crowd.voter][order], choices[crowd.choice][order])
    renamed = Crowd(crowd.items, crowd.voters, crowd.choices, *columns)
    before = calibrated.estimate(crowd, iterations=15, tolerance=-1)
    after = calibrated.estimate(renamed, iterations=15, tolerance=-1)
    assert after.posterior[items][:, choices] == pytest.approx(before.posterior, abs=1e-6)
    assert after.log_likelihood == pytest.approx(before.log_likelihood)


def test_the_likelihood_it_states_is_that_of_the_parameters_it_states() -> None:
    crowd, _ = drawn(9, 25, [0.8, 0.7, 0.6])
    found = calibrated.estimate(crowd)
    joint = np.tile(found.marginals, (crowd.items, 1))
    for item, voter, choice in zip(crowd.item, crowd.voter, crowd.choice, strict=True):
        joint[item] *= found.confusion[voter, :, choice]
    assert found.log_likelihood == pytest.approx(np.log(joint.sum(axis=1)).sum())
    assert found.log_likelihood <= dawid_skene.estimate(crowd).log_likelihood


def test_it_states_whether_it_came_to_rest() -> None:
    crowd, _ = drawn(10, 60, [0.8, 0.7, 0.6, 0.55])
    rested, cut = calibrated.estimate(crowd), calibrated.estimate(crowd, iterations=2)
    assert rested.converged
    assert rested.trace[-1] <= calibrated.TOLERANCE
    assert (cut.converged, cut.iterations, len(cut.trace)) == (False, 2, 2)


def test_two_runs_give_the_same_bytes() -> None:
    crowd, _ = drawn(11, 40, [0.8, 0.7, 0.6])
    first: Estimate = calibrated.estimate(crowd)
    assert first.posterior.tobytes() == calibrated.estimate(crowd).posterior.tobytes()


def test_one_choice_is_certain_and_all_alike_stay_finite() -> None:
    only = calibrated.estimate(crowd_of([(1, 1, 7), (2, 1, 7)]))
    assert only.posterior.tolist() == [[1.0], [1.0]]
    alike = calibrated.estimate(
        crowd_of([(item, voter, item % 2) for item in range(6) for voter in range(4)])
    )
    assert alike.posterior.argmax(axis=1).tolist() == [0, 1, 0, 1, 0, 1]


def test_fifty_thousand_labels_take_seconds() -> None:
    random = np.random.default_rng(12)
    truth = random.integers(4, size=10_000)
    item, voter = np.arange(50_000) % 10_000, random.integers(40, size=50_000)
    right = random.random(50_000) < random.uniform(0.4, 0.9, size=40)[voter]
    choice = np.where(right, truth[item], random.integers(4, size=50_000))
    started = time.process_time()
    found = calibrated.estimate(Crowd(10_000, 40, 4, item, voter, choice))
    assert time.process_time() - started < 20  # of processor time; about 1 s where nothing else runs
    assert np.mean(found.posterior.argmax(axis=1) == truth) > 0.85


@given(st.floats(1e-6, 1e6))
def test_log_gamma_is_the_standard_librarys_and_digamma_its_slope(value: float) -> None:
    assert log_gamma(np.array(value)) == pytest.approx(math.lgamma(value), rel=1e-10, abs=1e-9)
    step = value * 1e-5
    slope = (math.lgamma(value + step) - math.lgamma(value - step)) / (2 * step)
    assert digamma(np.array(value)) == pytest.approx(slope, rel=1e-3, abs=1e-3)


def test_digamma_at_known_points() -> None:
    euler = 0.577215664901532860607
    found = digamma(np.array([1.0, 0.5, 2.0, 10.0]))
    expected = [-euler, -euler - 2 * math.log(2), 1 - euler, 2.251752589066721]
    assert found == pytest.approx(expected, abs=1e-10)


def test_the_bench_measures_every_family_afresh_and_repeatably(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "GROUPS", {"developed_on": (families.few_labels,)})
    one, other = bench.measure(seed=5, crowds=1), bench.measure(seed=6, crowds=1)
    again = bench.measure(seed=5, crowds=1)
    assert one["groups"] == again["groups"]
    assert one["groups"] != other["groups"]
    assert set(one["groups"]["developed_on"]["mean"]) == {"equal", "posterior", "calibrated"}
    assert "few_labels" in bench.table(one)
    assert json.loads(json.dumps(one)) == one


def test_the_calibration_error_is_the_gap_between_what_was_stated_and_what_was_right() -> None:
    posterior = np.array([[0.9, 0.1]] * 10 + [[0.4, 0.6]] * 10)
    truth = np.array([0] * 7 + [1] * 3 + [1] * 6 + [0] * 4)
    assert bench.calibration_error(posterior, truth) == pytest.approx(0.1)
    assert bench.accuracy(np.array([[0.5, 0.5], [0.2, 0.8]]), np.array([0, 1])) == pytest.approx(0.75)
    assert bench.brier(np.array([[0.8, 0.2]]), np.array([1])) == pytest.approx(0.64 + 0.64)


def test_where_several_choices_lead_the_calibration_error_takes_none_for_the_answer() -> None:
    tied = np.array([[0.5, 0.5]] * 10)
    assert bench.calibration_error(tied, np.zeros(10, int)) == pytest.approx(0.0)
    assert bench.calibration_error(tied, np.ones(10, int)) == pytest.approx(0.0)


def test_the_bench_asks_of_calibrated_what_posterior_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    def state(accuracy: float, ece: float) -> dict:
        return {"accuracy": accuracy, "ece": ece, "brier": 0.1}

    mean = {"equal": state(0.7, 0.2), "posterior": state(0.8, 0.1), "calibrated": state(0.8, 0.11)}
    monkeypatch.setattr(bench, "measure", lambda: {"groups": {"held_out": {"mean": mean}}})
    assert [figure.met for figure in bench.figures()] == [True, False, True]
