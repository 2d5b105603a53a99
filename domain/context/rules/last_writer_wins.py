"""The latest write in the total order (clock, node, hash) stands; the others stay in history."""

from domain.context.rules.conflict import WHOLE, Conflict, Resolution, share_of_one


def last_writer_wins(conflict: Conflict) -> Resolution:
    """Never needs a decision. The maximum of a total order: commutative, associative, idempotent."""
    siblings = conflict.siblings
    winner = siblings[0]
    reason = f"{winner.node}:{winner.counter} is the latest of {len(siblings)} by clock, node and hash"
    return Resolution("last_writer_wins", winner.value, share_of_one(siblings), WHOLE, reason)
