"""The state of a key as one text, by which replicas are compared."""

from domain.causality.causal_context import CausalContext
from domain.context.canonical import canonical
from domain.context.events import Written
from domain.context.state import Entry


def canonical_bytes(entry: Entry) -> bytes:
    """The state as one text: replicas that received the same writes have the same bytes."""
    stated = {
        "layer": entry.layer,
        "key": entry.key,
        "siblings": [_stated(write) for write in entry.siblings],
        "seen": _stated_context(entry.seen),
        "received": _stated_context(entry.received),
        "newest": entry.newest,
        "ancestors": [_stated(write) for write in entry.ancestors],
    }
    return canonical(stated).encode()


def _stated(write: Written) -> dict[str, object]:
    return {name: getattr(write, name) for name in Written.__slots__}


def _stated_context(context: CausalContext) -> dict[str, object]:
    beyond = [[dot.node, dot.counter] for dot in sorted(context.beyond)]
    return {"vector": dict(context.vector), "beyond": beyond}
