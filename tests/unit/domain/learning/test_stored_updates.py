"""Updates over their files: what strategies read of them, and what is none of an update."""

import numpy as np
import pytest

from domain.learning.events import Report
from domain.learning.stored_updates import KEY, StoredUpdates, places
from domain.learning.tensor_file import encode
from domain.learning.tensors import TensorSpec
from domain.refusal import Refusal

SCHEMA = (TensorSpec("w", "context_patterns", (2, 2)), TensorSpec("b", "context_patterns", (2,), "float64"))
UPDATE = {
    "context_patterns/w": np.array([[1, 2], [3, 4]], "float32"),
    "context_patterns/b": np.array([5.0, 6.0]),
}
SAID = {KEY: '{"node_id": "ada"}'}


def report(client, number, loss=0.5):
    counts = {"bytes": 10, "samples": number, "steps": 10 * number, "planned": 50, "raw_bytes": 99}
    return Report(client=client, sha256="0" * 64, loss=loss, level="none", group=number % 2, **counts)


def opened(*reports, content=None):
    content = memoryview(encode(UPDATE, SAID)) if content is None else content
    return StoredUpdates([(each, content, places(content, SCHEMA)[1]) for each in reports])


def test_what_strategies_read_is_in_the_order_of_the_clients():
    updates = opened(report("ben", 2), report("ada", 1, 0.25))
    assert updates.clients == ["ada", "ben"]
    assert updates.samples == [1, 2]
    assert updates.steps == [10, 20]
    assert updates.losses == [0.25, 0.5]
    assert updates.groups == [1, 0]
    assert updates.block("w", 1, 3).tolist() == [[2, 3], [2, 3]]


def test_a_loss_that_is_hidden_is_refused_to_the_strategy_that_asks():
    with pytest.raises(Refusal, match="which this privacy method hides"):
        _ = opened(report("ada", 1, None), report("ben", 2)).losses


def test_a_file_says_whose_it_is():
    assert places(memoryview(encode(UPDATE, SAID)), SCHEMA)[0] == "ada"
    with pytest.raises(Refusal, match="does not say whose it is"):
        places(memoryview(encode(UPDATE, {KEY: "{}"})), SCHEMA)


def test_what_is_no_number_is_no_update():
    raw = encode(UPDATE, SAID)
    broken = memoryview(raw.replace(np.float64(6).tobytes(), np.float64("nan").tobytes()))
    with pytest.raises(Refusal, match="tensor 'b' holds NaN"):
        places(broken, SCHEMA)


@pytest.mark.parametrize(
    ("tensors", "metadata", "said"),
    [
        (UPDATE, SAID | {"rows": "[]"}, "other metadata"),
        (UPDATE, {}, "other metadata"),
        (UPDATE | {"context_patterns/rows": np.ones(3)}, SAID, "other tensors"),
        ({"context_patterns/w": UPDATE["context_patterns/w"]}, SAID, "other tensors"),
        (UPDATE | {"context_patterns/b": np.ones(3)}, SAID, "'b' is of another shape"),
        (UPDATE | {"context_patterns/b": np.ones(2, "float32")}, SAID, "'b' is of another shape or type"),
    ],
)
def test_a_file_that_is_no_update_of_the_schema_is_refused(tensors, metadata, said):
    with pytest.raises(Refusal, match=said):
        places(memoryview(encode(tensors, metadata)), SCHEMA)
