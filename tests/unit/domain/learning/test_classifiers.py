"""The two trainers that are built in: slopes, shapes, determinism, and what they refuse."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.learning.tensors import SECTIONS, check_tensors, digest
from domain.learning.trainers.layers import Layers
from domain.learning.trainers.logistic_regression import LogisticRegression
from domain.learning.trainers.multilayer_perceptron import MultilayerPerceptron
from domain.refusal import Refusal
from tests.unit.domain.learning.training import SMALL, on, plan, rows, same

LOGISTIC, PERCEPTRON = LogisticRegression(), MultilayerPerceptron()
BOTH = pytest.mark.parametrize("trainer", [LOGISTIC, PERCEPTRON], ids=lambda one: one.name)


@pytest.mark.parametrize("activation", ["relu", "tanh"])
@pytest.mark.parametrize("l2", [0.0, 0.3])
@pytest.mark.parametrize("widths", [(3, 4), (3, 5, 4), (3, 5, 6, 4)])
def test_the_slopes_are_those_of_finite_differences(widths, l2, activation):
    names = tuple((f"w{index}", f"b{index}") for index in range(len(widths) - 1))
    draw = np.random.default_rng(3)
    model = {}
    for (weight, bias), ins, outs in zip(names, widths[:-1], widths[1:], strict=True):
        model |= {weight: draw.normal(size=(ins, outs)), bias: draw.normal(size=outs)}
    layers = Layers(names, activation, l2)
    data = rows(9)
    _, slopes = layers.gradient(model, data)
    for name, tensor in model.items():
        for index in np.ndindex(tensor.shape):
            found = []
            for moved in (1e-6, -1e-6):
                there = {key: array.copy() for key, array in model.items()}
                there[name][index] += moved
                found.append(layers.gradient(there, data)[0])
            assert slopes[name][index] == pytest.approx((found[0] - found[1]) / 2e-6, abs=1e-8)


def test_the_penalty_is_in_what_is_descended_and_not_in_what_is_stated():
    model = {"weight": np.full((3, 4), 2.0), "bias": np.full(4, 9.0)}
    free, held = Layers((("weight", "bias"),)), Layers((("weight", "bias"),), l2=0.5)
    data = rows()
    assert held.gradient(model, data)[0] - free.gradient(model, data)[0] == pytest.approx(0.25 * 12 * 4)
    assert held.evaluate(model, data) == free.evaluate(model, data)


def test_a_model_that_knows_nothing_is_as_uncertain_as_there_are_classes():
    told = LOGISTIC.evaluate(LOGISTIC.initial(SMALL, 1), rows(), SMALL)
    assert told.loss == pytest.approx(np.log(4))
    assert told.samples == 12


def test_logits_beyond_what_exp_can_hold_give_a_finite_loss():
    model = {"weight": np.full((3, 4), 0.0), "bias": np.array([1e4, 0.0, 0.0, 0.0])}
    data = {"x": np.zeros((2, 3)), "y": np.array([0, 1])}
    told = LOGISTIC.evaluate(model, data, SMALL)
    assert (told.loss, told.accuracy) == (5e3, 0.5)


@BOTH
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("section", SECTIONS)
def test_a_first_model_and_a_trained_one_are_of_the_schema(trainer, dtype, section):
    told = SMALL | {"dtype": dtype, "section": section}
    schema = trainer.schema(told)
    first = trainer.initial(told, 3)
    check_tensors(schema, first)
    check_tensors(schema, trainer.fit(first, rows(), told, plan(batch=5), on).model)
    assert [spec.name for spec in schema] == sorted(spec.name for spec in schema)
    assert {spec.section for spec in schema} == {section}


def test_layers_are_in_the_order_of_their_names():
    schema = PERCEPTRON.schema(SMALL | {"hidden": ",".join(["2"] * 12)})
    weights = [spec for spec in schema if spec.name.endswith("weight")]
    assert [spec.shape for spec in weights] == [(3, 2), *[(2, 2)] * 11, (2, 4)]


def test_the_model_of_the_figures_has_4810_numbers():
    schema = PERCEPTRON.schema({"features": 64, "classes": 10})
    assert sum(spec.size for spec in schema) == 4_810


@BOTH
def test_it_learns(trainer):
    draw = np.random.default_rng(0)
    y = np.arange(80) % 4
    data = {"x": np.eye(4)[y, :3] + draw.normal(scale=0.1, size=(80, 3)), "y": y}
    first = trainer.initial(SMALL, 1)
    fitted = trainer.fit(first, data, SMALL, plan(epochs=60, batch=8, learning_rate=0.5), on)
    before, after = trainer.evaluate(first, data, SMALL), trainer.evaluate(fitted.model, data, SMALL)
    assert fitted.loss == before.loss > 5 * after.loss
    assert after.accuracy == 1.0
    assert (fitted.samples, fitted.steps, fitted.planned) == (80, 600, 600)


@BOTH
@given(seed=st.integers(0, 2**53 - 1), batch=st.integers(0, 13))
def test_the_same_input_gives_the_same_bits(trainer, seed, batch):
    asked = plan(seed=seed, batch=batch, epochs=2, proximal=0.1)
    found = [trainer.fit(trainer.initial(SMALL, seed), rows(), SMALL, asked, on).model for _ in range(2)]
    assert same(*found)
    assert digest(found[0]) == digest(found[1])


def test_another_seed_is_another_model():
    assert not same(PERCEPTRON.initial(SMALL, 1), PERCEPTRON.initial(SMALL, 2))
    first = LOGISTIC.initial(SMALL, 1)
    one, two = (LOGISTIC.fit(first, rows(), SMALL, plan(batch=4, seed=seed), on).model for seed in (1, 2))
    assert not same(one, two)


def test_rows_of_any_trailing_shape_number_type_and_beside_other_arrays_are_read():
    data = rows(features=4)
    shaped = {"x": data["x"].reshape(12, 2, 2), "y": data["y"].astype(float), "note": np.zeros(12)}
    told = SMALL | {"features": 4}
    first = LOGISTIC.initial(told, 1)
    assert same(
        LOGISTIC.fit(first, data, told, plan(), on).model, LOGISTIC.fit(first, shaped, told, plan(), on).model
    )


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"x": None}, "have no array 'x'"),
        ({"y": None}, "have no array 'y'"),
        ({"x": np.zeros((12, 4))}, r"x is \[12, 4\], not rows x 3"),
        ({"x": np.zeros(12)}, r"x is \[12\], not rows x 3"),
        ({"x": np.zeros((0, 3))}, "there is none"),
        ({"x": np.full((12, 3), "a")}, "x is <U1, which is no number"),
        ({"x": np.full((12, 3), np.nan)}, "x holds NaN, an infinity"),
        (
            {"x": np.full((12, 3), 1e300), "dtype": "float32"},
            "x holds NaN, an infinity, or more than the dtype can",
        ),
        ({"y": np.zeros(11)}, r"y is \[11\], not \[12\]"),
        ({"y": np.full(12, 0.5)}, r"y \(float64\) does not hold whole numbers only"),
        ({"y": np.full(12, np.inf)}, r"y \(float64\) does not hold whole numbers only"),
        ({"y": np.full(12, "0")}, r"y \(<U1\) does not hold whole numbers only"),
        ({"y": np.full(12, -1)}, "y holds -1; classes are 0 to 3"),
        ({"y": np.full(12, 4)}, "y holds 4; classes are 0 to 3"),
    ],
)
def test_rows_that_a_classifier_cannot_read_are_refused(changed, problem):
    told = SMALL | {"dtype": changed.pop("dtype", "float64")}
    data = {name: array for name, array in (rows() | changed).items() if array is not None}
    with pytest.raises(Refusal, match=f"rows: {problem}"):
        LOGISTIC.fit(LOGISTIC.initial(told, 1), data, told, plan(), on)


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"features": None}, "features: is missing; it has no default"),
        ({"classes": 1}, "classes: 1 is outside 2 to 100000"),
        ({"classes": True}, "classes: True is no whole number"),
        ({"classes": 2.5}, "classes: 2.5 is no whole number"),
        ({"classes": float("inf")}, "classes: inf is no whole number"),
        ({"features": "64"}, "features: '64' is no whole number"),
        ({"features": 10**7}, r"features: 1e\+07 is outside 1 to 1e\+06"),
        ({"l2": -1}, r"l2: -1 is outside 0 to 1e\+06"),
        ({"l2": float("nan")}, "l2: nan is outside"),
        ({"l2": "x"}, "l2: 'x' is no number"),
        ({"l2": False}, "l2: False is no number"),
        ({"dtype": "float16"}, "dtype: 'float16' is none of float32, float64"),
        ({"section": "raw"}, "section: 'raw' is none of personality_evolutions"),
        ({"activation": "\x1b[2J"}, r"activation: '\\x1b\[2J' is none of relu, tanh"),
        ({"hidden": ""}, "hidden: '' is no list of 1 to 16 widths"),
        ({"hidden": "64;32"}, "hidden: '64;32' is no list"),
        ({"hidden": 2.5}, "hidden: 2.5 is no list"),
        ({"hidden": ",".join("1" * 17)}, "is no list of 1 to 16 widths"),
        ({"hidden": 0}, "hidden: 0 is outside 1 to 100000"),
        ({"hidden": "9" * 5_000}, r"hidden: 1e\+10 is outside"),
        ({"learning": 1}, "trainer.settings: has no 'learning'; there are activation, classes, dtype"),
        ({"features": 10**6, "hidden": 1_000}, "trainer.settings: make a model of 1000005004 numbers"),
    ],
)
def test_settings_that_make_no_model_are_refused_by_name(changed, problem):
    told = {name: value for name, value in (SMALL | changed).items() if value is not None}
    with pytest.raises(Refusal, match=problem):
        PERCEPTRON.schema(told)


def test_logistic_regression_has_no_hidden_layers():
    with pytest.raises(Refusal, match=r"has no 'hidden'; there are classes, dtype, features, l2, section"):
        LOGISTIC.schema(SMALL | {"hidden": 5})


def test_a_whole_number_may_be_written_as_a_float():
    assert LOGISTIC.schema(SMALL | {"features": 3.0}) == LOGISTIC.schema(SMALL)


@BOTH
def test_the_gradient_is_the_step_of_one_epoch_over_all_rows(trainer):
    told = SMALL | {"l2": 0.1}
    first = trainer.initial(told, 1)
    slopes = trainer.gradient(first, rows(), told)
    fitted = trainer.fit(first, rows(), told, plan(learning_rate=1.0), on)
    assert same(fitted.model, {name: first[name] - slopes[name] for name in first})


@BOTH
def test_a_model_of_other_settings_is_refused(trainer):
    other = trainer.initial(SMALL | {"features": 5}, 1)
    for attempt in (
        lambda: trainer.fit(other, rows(), SMALL, plan(), on),
        lambda: trainer.evaluate(other, rows(), SMALL),
        lambda: trainer.gradient(other, rows(), SMALL),
    ):
        with pytest.raises(Refusal, match=r"is float64\[5, .*\], not float64\[3, "):
            attempt()


def test_the_least_number_of_classes_is_allowed():
    assert LOGISTIC.schema(SMALL | {"classes": 2})[0].shape == (2,)
