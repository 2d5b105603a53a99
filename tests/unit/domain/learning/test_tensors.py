"""Tensors are those of a schema, finite, and have one digest."""

import numpy as np
import pytest

from domain.learning.policy import CohortPolicy, PrivacySpec
from domain.learning.privacy_level import LEVELS, weakest
from domain.learning.tensors import TensorSpec, check_tensors, digest
from domain.refusal import Refusal

SCHEMA = (TensorSpec("a", "context_patterns", (2,)), TensorSpec("b", "context_patterns", (), "float64"))
GOOD = {"a": np.zeros(2, "f4"), "b": np.float64(1) * np.ones(())}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"a": None}, "has no tensor 'a'"),
        ({"c": np.zeros(1)}, "has an unknown tensor 'c'"),
        ({"a": np.zeros(3, "f4")}, "tensor 'a' is float32[3], not float32[2]"),
        ({"a": np.zeros(2)}, "tensor 'a' is float64[2], not float32[2]"),
        ({"a": np.array([0, np.nan], "f4")}, "NaN or an infinity"),
    ],
)
def test_other_tensors_than_the_schemas_are_refused_by_name(change, said):
    check_tensors(SCHEMA, GOOD)
    given = {name: array for name, array in {**GOOD, **change}.items() if array is not None}
    with pytest.raises(Refusal) as caught:
        check_tensors(SCHEMA, given)
    assert said in str(caught.value)


def test_a_digest_is_of_names_types_shapes_and_numbers_but_not_of_their_order():
    base = digest(GOOD)
    assert digest(dict(reversed(GOOD.items()))) == base
    assert digest({"a": GOOD["a"].astype(">f4"), "b": GOOD["b"]}) == base
    others = [
        {**GOOD, "a": GOOD["a"] + 1},
        {**GOOD, "a": GOOD["a"].astype("f8")},
        {**GOOD, "a": GOOD["a"].reshape(1, 2)},
        {"x": GOOD["a"], "b": GOOD["b"]},
    ]
    assert base not in map(digest, others)


def test_the_weakest_level_is_the_first_in_the_order():
    assert weakest(["local_dp", "secure_sum"]) == "secure_sum"
    assert weakest(LEVELS) == weakest([]) == "none"


def test_a_cohort_smaller_than_its_minimum_and_an_unknown_method_are_refused():
    with pytest.raises(Refusal, match="5 clients cannot give 6 reports"):
        CohortPolicy(share=1, minimum=6, size=5)
    with pytest.raises(Refusal, match="Unknown privacy method: 'rot13'"):
        PrivacySpec("rot13")
