"""Dawid and Skene's EM against their own table, a plain-loop oracle, and the laws it must keep."""

import math
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.consensus import crowd as crowds
from domain.consensus import dawid_skene
from domain.consensus.ballot_table import parse
from domain.consensus.crowd import Crowd, Estimate
from domain.refusal import Refusal
from tests.unit.drawing import examples

ANAESTHETISTS = Path(__file__).parents[3] / "examples/anaesthetists/ballots.csv"


def crowd_of(labels: list[tuple[int, int, int]]) -> Crowd:
    rows = "".join(f"{item},{voter},{choice}\n" for item, voter, choice in labels)
    return Crowd.of(parse(b"item,voter,choice\n" + rows.encode(), kind="csv"))


def drawn(seed: int, items: int, voters: int, choices: int, labels: int) -> tuple[Crowd, np.ndarray]:
    random = np.random.default_rng(seed)
    truth = random.integers(choices, size=items)
    skill = random.uniform(0.3, 0.95, size=voters)
    item, voter = np.arange(labels) % items, random.integers(voters, size=labels)
    right = random.random(labels) < skill[voter]
    choice = np.where(right, truth[item], random.integers(choices, size=labels))
    return Crowd(items, voters, choices, item, voter, choice), truth


def plain_loops(crowd: Crowd, rounds: int, smoothing: float) -> tuple[list, list, list, float]:
    """The same EM, written from the paper: marginals, confusion, posterior, log-likelihood."""
    n, m, k = crowd.items, crowd.voters, range(crowd.choices)
    labels = list(zip(crowd.item.tolist(), crowd.voter.tolist(), crowd.choice.tolist(), strict=True))
    posterior = [[0.0] * crowd.choices for _ in range(n)]
    for item, _, choice in labels:
        posterior[item][choice] += 1
    posterior = [[value / sum(row) for value in row] for row in posterior]
    for _ in range(rounds):
        marginals = [sum(row[truth] for row in posterior) / n for truth in k]
        counts = [[[smoothing] * crowd.choices for _ in k] for _ in range(m)]
        for item, voter, choice in labels:
            for truth in k:
                counts[voter][truth][choice] += posterior[item][truth]
        confusion = [[[cell / sum(row) for cell in row] for row in matrix] for matrix in counts]
        joint = [list(marginals) for _ in range(n)]
        for item, voter, choice in labels:
            joint[item] = [joint[item][truth] * confusion[voter][truth][choice] for truth in k]
        posterior = [[value / sum(row) for value in row] for row in joint]
        likelihood = sum(math.log(sum(row)) for row in joint)
    return marginals, confusion, posterior, likelihood


@pytest.fixture(scope="module")
def anaesthetists() -> Estimate:
    return dawid_skene.estimate(Crowd.of(parse(ANAESTHETISTS.read_bytes(), kind="csv")))


def test_the_authors_own_table_gives_the_figures_that_are_known_for_it(anaesthetists: Estimate) -> None:
    assert anaesthetists.converged
    assert anaesthetists.log_likelihood == pytest.approx(-192.8909, abs=1e-4)
    assert anaesthetists.marginals == pytest.approx([0.3996, 0.4220, 0.1118, 0.0667], abs=5e-5)
    assert np.bincount(anaesthetists.posterior.argmax(axis=1)).tolist() == [18, 19, 5, 3]


def test_it_overrules_the_most_voted_choice_on_patients_2_and_36_only(anaesthetists: Estimate) -> None:
    shares = Crowd.of(parse(ANAESTHETISTS.read_bytes(), kind="csv")).shares()
    found = anaesthetists.posterior.argmax(axis=1)
    overruled = [item + 1 for item in range(45) if shares[item, found[item]] < shares[item].max()]
    assert overruled == [2, 36]


def test_a_voters_accuracy_is_its_diagonal_weighed_by_the_marginals(anaesthetists: Estimate) -> None:
    by_hand = [
        sum(anaesthetists.marginals[truth] * matrix[truth][truth] for truth in range(4))
        for matrix in anaesthetists.confusion
    ]
    assert anaesthetists.accuracies() == pytest.approx(by_hand)
    assert 0.7 < min(by_hand) < max(by_hand) < 0.9


@pytest.mark.parametrize("smoothing", [1e-6, 0.01])
@pytest.mark.parametrize("seed", range(6))
def test_it_agrees_with_plain_loops_written_from_the_paper(seed: int, smoothing: float) -> None:
    crowd, _ = drawn(seed, items=23, voters=7, choices=2 + seed % 3, labels=110)
    ours = dawid_skene.estimate(crowd, smoothing=smoothing, iterations=25, tolerance=0)
    marginals, confusion, posterior, likelihood = plain_loops(crowd, ours.iterations, smoothing)
    assert ours.log_likelihood == pytest.approx(likelihood, rel=1e-9)
    assert ours.marginals == pytest.approx(np.array(marginals), abs=1e-9)
    assert ours.confusion == pytest.approx(np.array(confusion), abs=1e-9)
    assert ours.posterior == pytest.approx(np.array(posterior), abs=1e-9)


labels = st.lists(
    st.tuples(st.integers(0, 7), st.integers(0, 4), st.integers(0, 3)), min_size=1, max_size=60
).map(lambda rows: [tuple(row) for row in rows])


@examples(50)
@given(labels)
def test_without_smoothing_the_likelihood_never_falls(rows: list) -> None:
    found = dawid_skene.estimate(crowd_of(rows), smoothing=0, iterations=60)
    climb = np.diff(found.trace)
    assert np.all(climb >= -1e-9 * max(1.0, -found.log_likelihood))


@examples(50)
@given(labels)
def test_what_it_states_are_probabilities_whatever_the_table(rows: list) -> None:
    for smoothing in (0.0, dawid_skene.SMOOTHING):
        found = dawid_skene.estimate(crowd_of(rows), smoothing=smoothing, iterations=200)
        assert found.posterior.sum(axis=1) == pytest.approx(1)
        assert found.confusion.sum(axis=2) == pytest.approx(np.ones(found.confusion.shape[:2]))
        assert found.marginals.sum() == pytest.approx(1)
        assert min(found.posterior.min(), found.confusion.min(), found.marginals.min()) >= 0
        assert math.isfinite(found.log_likelihood)
        assert found.log_likelihood <= 1e-9


@examples(25)
@given(st.integers(0, 10_000), st.randoms(use_true_random=False))
def test_renaming_items_voters_and_choices_renames_the_result(seed: int, random) -> None:
    crowd, _ = drawn(seed, items=9, voters=5, choices=3, labels=50)
    new_items, new_voters, new_choices = (
        np.array(random.sample(range(size), size)) for size in (crowd.items, crowd.voters, crowd.choices)
    )
    order = np.array(random.sample(range(len(crowd.item)), len(crowd.item)))
    renamed = Crowd(
        crowd.items,
        crowd.voters,
        crowd.choices,
        new_items[crowd.item][order],
        new_voters[crowd.voter][order],
        new_choices[crowd.choice][order],
    )
    # A fixed number of rounds: how rounding adds up may not decide when to stop.
    before = dawid_skene.estimate(crowd, iterations=20, tolerance=-1)
    after = dawid_skene.estimate(renamed, iterations=20, tolerance=-1)
    assert after.log_likelihood == pytest.approx(before.log_likelihood)
    assert after.marginals[new_choices] == pytest.approx(before.marginals, abs=1e-6)
    assert after.posterior[new_items][:, new_choices] == pytest.approx(before.posterior, abs=1e-6)
    assert after.confusion[new_voters][:, new_choices][:, :, new_choices] == pytest.approx(
        before.confusion, abs=1e-6
    )


def test_two_runs_give_the_same_bytes() -> None:
    crowd, _ = drawn(3, items=60, voters=9, choices=4, labels=400)
    first, second = dawid_skene.estimate(crowd), dawid_skene.estimate(crowd)
    assert first.posterior.tobytes() == second.posterior.tobytes()
    assert first.trace == second.trace


def test_where_all_agree_the_likelihood_is_that_of_the_marginals() -> None:
    found = dawid_skene.estimate(
        crowd_of([(item, voter, item % 2) for item in range(4) for voter in range(3)])
    )
    assert found.converged
    assert found.log_likelihood == pytest.approx(4 * math.log(0.5), abs=1e-4)
    assert found.posterior.max(axis=1) == pytest.approx(1)


def test_one_choice_decides_everything() -> None:
    only = dawid_skene.estimate(crowd_of([(1, 1, 7), (2, 1, 7)]))
    assert only.converged
    assert only.posterior.tolist() == [[1.0], [1.0]]
    assert only.log_likelihood == 0


def test_a_voter_that_only_ever_said_one_thing_tells_nothing() -> None:
    """Its matrix may as well say that choice under every truth; the posterior then is the marginals."""
    lone = dawid_skene.estimate(crowd_of([(1, 1, 1), (2, 2, 2), (3, 2, 2)]))
    assert lone.posterior == pytest.approx(np.tile(lone.marginals, (3, 1)), abs=1e-4)


def test_the_cap_on_iterations_is_stated_as_no_convergence() -> None:
    crowd, _ = drawn(1, items=40, voters=6, choices=3, labels=120)
    cut = dawid_skene.estimate(crowd, iterations=2)
    assert (cut.converged, cut.iterations, len(cut.trace)) == (False, 2, 2)
    assert dawid_skene.estimate(crowd).converged


def test_it_beats_the_majority_where_voters_differ() -> None:
    crowd, truth = drawn(11, items=600, voters=20, choices=4, labels=3_000)
    found = dawid_skene.estimate(crowd)
    ours = np.mean(found.posterior.argmax(axis=1) == truth)
    assert ours > np.mean(crowd.shares().argmax(axis=1) == truth) + 0.01


def test_two_hundred_thousand_labels_take_seconds() -> None:
    crowd, truth = drawn(2, items=20_000, voters=500, choices=10, labels=200_000)
    started = time.process_time()
    found = dawid_skene.estimate(crowd)
    assert time.process_time() - started < 20  # of processor time; about 1 s where nothing else runs
    assert np.mean(found.posterior.argmax(axis=1) == truth) > 0.95


def test_a_table_too_large_for_a_model_is_refused_with_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    table = parse(b"item,voter,choice\n1,v,a\n1,w,b\n2,w,b\n", kind="csv")
    monkeypatch.setattr(crowds, "MAX_CELLS", 8)
    assert Crowd.of(table).items == 2
    monkeypatch.setattr(crowds, "MAX_CELLS", 7)
    with pytest.raises(Refusal, match="weighting: 2 items, 2 voters and 2 choices are too many"):
        Crowd.of(table)
