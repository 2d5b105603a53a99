"""What a hidden sum leaves behind is read again as it was written, and nothing else is."""

import numpy as np
import pytest

from domain.learning import tensor_file
from domain.learning.evidence import Evidence, read, write
from domain.refusal import Refusal

ONE = Evidence("secure_mpc", {"w": np.float64([1.5, -2])}, 30.0, {"bob": "b" * 64, "ann": "a" * 64})


def test_evidence_is_read_as_it_was_written_and_the_same_gives_the_same_bytes():
    found = read(write(ONE))
    assert (found.method, found.weight, found.updates) == (ONE.method, ONE.weight, ONE.updates)
    assert found.total["w"].tolist() == [1.5, -2]
    turned = Evidence(ONE.method, ONE.total, 30, dict(reversed(ONE.updates.items())))
    assert write(turned) == write(ONE)


OTHERS = {
    "no metadata": None,
    "other metadata": {"update": "{}"},
    "a list": {"sum": "[]"},
    "no weight": {"sum": '{"method":"m","updates":{}}'},
    "a field more": {"sum": '{"method":"m","updates":{},"weight":1,"key":"k"}'},
    "a digest that is none": {"sum": '{"method":"m","updates":{"ann":1},"weight":1}'},
    "no JSON": {"sum": "{"},
}


@pytest.mark.parametrize("name", OTHERS)
def test_any_other_file_is_refused(name):
    with pytest.raises(Refusal):
        read(tensor_file.encode({"w": np.zeros(2)}, OTHERS[name]))
