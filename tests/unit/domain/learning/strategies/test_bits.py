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
    TensorSpec("weights", "personality_evolutions", (40, 60), "float32"),
)
# After two rounds of 15 clients; a change of any is a change of every model that is trained from now on.
RECORDED = {
    "bulyan": "a63e9c59d6c82c93",
    "clustered": "a12434de8f679ef0",
    "fedadagrad": "bee317aa54182324",
    "fedadam": "a701f831c5e57a82",
    "fedavg": "d54209f97ee3ff06",
    "fedavgm": "6d79bcc978cf32f8",
    "fedprox": "d54209f97ee3ff06",
    "fedsgd": "d93a0cc5497bda56",
    "fedyogi": "e94ac64b0410beac",
    "geometric_median": "0cca0a7a9bf2ea66",
    "krum": "2947ae1ad14665f6",
    "median": "29ee74d3160b92cf",
    "multi_krum": "3e362df5a45b966f",
    "q_fedavg": "8413f842a3768a0b",
    "scaffold": "c11c18e414adfa77",
    "trimmed_mean": "7239794743a97864",
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
    for i in range(15):
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
