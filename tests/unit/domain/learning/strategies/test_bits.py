"""The bits that strategies make are on the record: other processors, threads or numpy give the same."""

import hashlib

import numpy as np
import pytest

from domain.learning.strategies.clustered import together
from domain.learning.strategies.in_memory import InMemory, Sent
from domain.learning.strategies.registry import STRATEGIES
from domain.learning.tensors import TensorSpec, digest

SCHEMA = (
    TensorSpec("bias", "context_patterns", (33,), "float64"),
    TensorSpec("weights", "personality_evolutions", (70, 130), "float32"),
)
# After two rounds of 37 clients; a change of any is a change of every model that is trained from now on.
RECORDED = {
    "bulyan": "d6867179fc629347",
    "clustered": "bd6b7c3d59ba2631",
    "fedadagrad": "60f50f028aa53d51",
    "fedadam": "29223421366dc084",
    "fedavg": "46f6d976ee54af71",
    "fedavgm": "f4b8898eccba23aa",
    "fedprox": "46f6d976ee54af71",
    "fedsgd": "839dfdf68d276f04",
    "fedyogi": "61fa00ef3757669a",
    "geometric_median": "e976d2b1456100bd",
    "krum": "057cc630eba8ea6a",
    "median": "cf720b5c3fe10b88",
    "multi_krum": "d042ef57f71d89c6",
    "q_fedavg": "1d64c3694f60a354",
    "scaffold": "648ab6586164c3e4",
    "trimmed_mean": "fa12b0d7889a43b0",
}


def mixed(seed):
    """Numbers between -1 and 1 by whole arithmetic alone: no generator's stream is for ever."""
    made = {}
    for place, spec in enumerate(SCHEMA):
        count = np.arange(1, spec.size + 1, dtype=np.uint64) + np.uint64(1_000_003 * (2 * seed + place))
        scrambled = (count * np.uint64(0x9E3779B97F4A7C15)) ^ (count * np.uint64(0xBF58476D1CE4E5B9) >> 31)
        made[spec.name] = ((scrambled >> 24) / 2.0**39 - 1).astype(spec.dtype).reshape(spec.shape)
    return made


def round_of(seed):
    for i in range(37):
        change = mixed(100 * seed + i)
        controls = {f"control.{name}": array / 3 for name, array in change.items()}
        yield Sent(f"c{i:03}", {**change, **controls}, 5 + i, 0.3 + i / 7, 1, i % 2)


def made_by(name):
    model, state, excluded = mixed(9_000), {}, ()
    if name == "clustered":
        model = together([model, mixed(9_001)])
    for seed in (1, 2):
        done = STRATEGIES[name].aggregate(SCHEMA, model, InMemory(round_of(seed)), state, {})
        model, state, excluded = done.model, done.state, done.excluded
    said = f"{digest(model)} {digest(state)} {' '.join(excluded)}"
    return hashlib.sha256(said.encode()).hexdigest()[:16]


@pytest.mark.parametrize("name", sorted(STRATEGIES))
def test_the_bits_are_those_on_the_record(name):
    assert made_by(name) == RECORDED[name]
