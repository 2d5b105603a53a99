"""Writes for tests: one by hand, any that could be read from a log, and histories of nodes that work."""

from hypothesis import strategies as st

from domain.causality.hybrid_clock import ZERO
from domain.context.commands import PutContext
from domain.context.decide import Node, put
from domain.context.events import Written
from domain.context.layers import Layers
from domain.context.residency import Residency
from domain.context.state import fold

VALUES = (None, True, 1, 1.0, 0.0, -0.0, "yes", [1], {}, {"a": 1}, {"a": True, "b": "x"}, {"b": "y"})
NODES = ("a", "b", "c")


def wrote(dot, value=None, *, seen="", **fields):
    """`wrote("eu:2", 5, seen="eu:1 us:3")`; the region is the node's name up to a dash."""
    node, counter = dot.split(":")
    known = {name: int(number) for name, number in (one.split(":") for one in seen.split())}
    defaults = {
        "layer": "situational",
        "key": "k",
        "writer": "ann",
        "region": node.split("-")[0],
        "wall": 1000 + sum(known.values()),
    }
    return Written(
        **(defaults | {"value": value, "node": node, "counter": int(counter), "seen": known} | fields)
    )


DOTS = st.sampled_from([(node, counter) for node in NODES for counter in (1, 2, 3, 4)])
SEEN = st.sampled_from([{}, {}, {"a": 1}, {"a": 3}, {"b": 2}, {"a": 1, "b": 1}, {"b": 3, "c": 1}, {"c": 4}])
BEYOND = st.sampled_from([{}, {}, {}, {"a": (3,)}, {"b": (4, 2)}, {"a": (2,), "c": (3,)}])
CLOCKS = st.sampled_from([(wall, logical) for wall in (0, 1, 2, 3, 5, 8) for logical in (0, 1)])
TTLS = st.sampled_from([None, None, 1, 2, 4])


def anything(values=VALUES):
    """A write that a reader must take, whoever made it: clocks, causes and dots may contradict each other."""
    return st.builds(
        _any, dot=DOTS, seen=SEEN, beyond=BEYOND, clock=CLOCKS, ttl_ms=TTLS, value=st.sampled_from(values)
    )


def _any(*, dot, seen, beyond, clock, ttl_ms, value):
    node, counter = dot
    return Written(
        layer="situational",
        key="k",
        value=value,
        writer="ann",
        region={"a": "eu", "b": "us", "c": "ap"}[node],
        node=node,
        counter=counter,
        wall=clock[0],
        logical=clock[1],
        seen={name: number for name, number in seen.items() if name != node or number < counter},
        beyond={name: numbers for name, numbers in beyond.items() if name != node or counter not in numbers},
        ttl_ms=ttl_ms,
    )


@st.composite
def histories(draw, values=VALUES, ttls=(None,)):
    """All writes of three nodes that hear of each other's now and then, with clocks minutes apart."""
    entries, written = dict.fromkeys(NODES), []
    skew = {node: draw(st.integers(-600_000, 600_000)) for node in NODES}
    for step in range(draw(st.integers(1, 9))):
        node = draw(st.sampled_from(NODES))
        for heard in draw(st.lists(st.sampled_from(written), max_size=3)) if written else ():
            entries[node] = fold(entries[node], heard)
        command = PutContext(
            "situational",
            "k",
            draw(st.sampled_from(values)),
            "ann",
            ttl_seconds=draw(st.sampled_from(ttls)) or 86400,
        )
        now = 2_000_000 + step * 1000 + skew[node]
        who = Node(node, node, ZERO)
        write = put(entries[node], command, who, now, layers=Layers(), residency=Residency())
        entries[node] = fold(entries[node], write)
        written.append(write)
    return written


@st.composite
def deliveries(draw, writes):
    """The same writes in another order, some of them again."""
    return draw(st.permutations([*writes, *draw(st.lists(st.sampled_from(writes), max_size=4))]))
