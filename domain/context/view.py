"""What a reader in one region is shown of a key: the value, or the siblings and why no rule settled them."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from domain.causality.causal_context import Dot
from domain.context.ancestors import common_ancestor
from domain.context.events import Written
from domain.context.expiry import shown
from domain.context.layers import Layer
from domain.context.rules.conflict import Conflict, Resolution, TextMerge
from domain.context.rules.registry import resolve
from domain.context.state import Entry, awaited
from domain.context.versions import version_of


class View(NamedTuple):
    """`present`: there is a value, and it is `value`, which may be null. `siblings`: the writes it rests on.

    `resolution` is null without a conflict; where it needs a decision, nothing is present. `version` is what
    `put --if-version` takes. `awaited` are writes that others have seen and that have not arrived here.
    """

    present: bool
    value: Any
    siblings: tuple[Written, ...]
    resolution: Resolution | None
    version: str
    awaited: tuple[Dot, ...]


def conflict_in(
    entry: Entry,
    layer: Layer,
    region: str,
    *,
    siblings: tuple[Written, ...] | None = None,
    history: Iterable[Written] = (),
    merge_text: TextMerge | None = None,
) -> Conflict | None:
    """The conflict that the entry, or those `siblings` of it, are in; None without one.

    `history`: earlier writes of the key, looked up where a first answer said that the ancestor is missing.
    """
    of = entry.siblings if siblings is None else siblings
    if len(of) < 2:  # noqa: PLR2004 # it takes two
        return None
    ancestor = common_ancestor(of, (*entry.ancestors, *history))
    return Conflict(of, layer.rule, region, entry.newest, layer.precedence, ancestor, merge_text)


def view(
    entry: Entry,
    layer: Layer,
    region: str,
    *,
    now_ms: int | None = None,
    history: Iterable[Written] = (),
    merge_text: TextMerge | None = None,
) -> View:
    """The entry as `region` reads it. With `now_ms`, what has expired by the reader's clock is hidden."""
    siblings = entry.siblings if now_ms is None else shown(entry.siblings, now_ms)
    conflict = conflict_in(entry, layer, region, siblings=siblings, history=history, merge_text=merge_text)
    version, waiting = version_of(entry), awaited(entry)
    if conflict is None:
        value = siblings[0].value if siblings else None
        return View(bool(siblings), value, siblings, None, version, waiting)
    resolution = resolve(conflict)
    present = resolution.resolution is not None
    return View(present, resolution.merged_context, siblings, resolution, version, waiting)
