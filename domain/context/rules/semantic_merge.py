"""Structured values: every field that the siblings do not contradict each other in."""

from domain.context.rules.apart import edited_apart
from domain.context.rules.conflict import WHOLE, Conflict, Resolution, agreeing, all_of, undecided
from domain.context.rules.three_way import ABSENT, Merge


def semantic_merge(conflict: Conflict) -> Resolution:
    """A three-way merge of the fields against the common ancestor.

    Needs a decision where a field was changed in different ways, where fields that hang together were
    changed apart, and where the ancestor is not at hand: its dots are then in `conflict.ancestor.missing`.
    """
    siblings, ancestor = conflict.siblings, conflict.ancestor
    if (ancestor.missing or not isinstance(siblings[0].value, dict)) and agreeing(siblings):
        return Resolution("semantic_merge", siblings[0].value, 1.0, WHOLE, "all wrote the same")
    if ancestor.missing:
        dots = ", ".join(f"{dot.node}:{dot.counter}" for dot in ancestor.missing)
        return undecided(f"the common ancestor is not at hand; it is one of {dots}, or there are several")
    base = ABSENT if ancestor.write is None else ancestor.write.value
    values = [write.value for write in siblings]
    reason = f"{len(siblings)} siblings contradict each other nowhere"
    if len(values) == 2 and (base is ABSENT or type(base) is dict) and all_of(values, dict):  # noqa: PLR2004 # nearly always
        quick = edited_apart({} if base is ABSENT else base, *values)
        if quick is not None:
            return Resolution("semantic_merge", quick[0], 1.0, quick[1], reason)
    merge = Merge(conflict.merge_text)
    merged = merge.values(base, values)
    if merge.contradictions:
        against = tuple(sorted(merge.contradictions))
        kept = tuple(sorted(set(merge.preserved) - merge.contradictions))
        return undecided(f"{len(siblings)} siblings contradict each other", against, kept)
    return Resolution("semantic_merge", merged, 1.0, tuple(sorted(merge.preserved)), reason)
