"""Fields whose meaning hangs on one another: one side's change of one must not meet another's of the other.

A dose of 5 whose unit becomes g on one side, and which becomes 500 on the other, must not become 500 g.
"""

import re
from collections.abc import Mapping
from functools import lru_cache

QUALIFIERS = frozenset(
    {
        *("unit", "units", "uom", "currency", "scale", "precision", "multiplier", "denominator", "base"),
        *("sign", "negated", "negation", "negative", "not", "polarity", "inverted", "opposite"),
        *("operator", "comparator", "comparison", "relation", "predicate", "direction", "per"),
        *("timezone", "tz", "offset", "calendar", "encoding", "format", "type", "kind", "unless", "except"),
        *("condition", "quantifier", "modality", "certainty", "subject", "entity", "patient", "id"),
    }
)
"""Say what the other fields of their object mean, or of whom they speak."""

GROUPS = (
    ("from", "to"),
    ("source", "target", "destination"),
    ("sender", "receiver", "recipient"),
    ("buyer", "seller"),
    ("payer", "payee"),
    ("debtor", "creditor"),
    ("giver", "taker"),
    ("agent", "object"),
    ("parent", "child"),
    ("winner", "loser"),
    ("plaintiff", "defendant"),
    ("left", "right"),
    ("before", "after"),
    ("old", "new"),
    ("start", "end", "duration"),
    ("begin", "end"),
    ("first", "last"),
    ("open", "opened", "close", "closed"),
    ("on", "off"),
    ("active", "inactive"),
    ("enabled", "disabled"),
    ("locked", "unlocked"),
    ("visible", "hidden"),
    ("public", "private"),
    ("present", "absent", "missing"),
    ("alive", "dead"),
    ("safe", "unsafe"),
    ("valid", "invalid"),
    ("allow", "allowed", "deny", "denied", "forbidden"),
    ("approved", "accepted", "declined", "refused", "rejected"),
    ("success", "succeeded", "failure", "failed", "pass", "fail"),
    ("increase", "decrease"),
    ("min", "max", "minimum", "maximum"),
    ("lower", "upper"),
    ("low", "high"),
    ("latitude", "longitude", "lat", "lon", "lng"),
    ("x", "y", "z"),
    ("numerator", "denominator"),
    ("price", "total"),
    ("quantity", "total"),
    ("amount", "total"),
    ("width", "height", "length"),
    ("day", "month", "year", "date"),
    ("hour", "minute", "second"),
    ("systolic", "diastolic"),
    ("yes", "no"),
    ("true", "false"),
)
"""Say one thing together."""

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_QUALIFIES = "qualifies"


def parted(touched: Mapping[str, int]) -> list[str]:
    """The fields of one object, of those `touched`, that no side changed together though they hang together.

    `touched` maps a field to the set of sides that changed it, as bits.
    """
    if not any(map(_roles, touched)):
        return []
    roles = {key: found for key in touched if (found := _roles(key))}
    apart: set[str] = set()
    for key, own in roles.items():
        for other, sides in touched.items():
            if not sides & touched[key] and (_QUALIFIES in own or own & roles.get(other, frozenset())):
                apart |= {key, other}
    return sorted(apart)


@lru_cache(maxsize=4096)  # objects of one kind have the same fields
def _roles(key: str) -> frozenset[str]:
    words = {word.lower() for word in _WORD.findall(key)}
    found = {_QUALIFIES} if words & QUALIFIERS else set()
    for group in GROUPS:
        if not words.isdisjoint(group):
            rest = words.difference(group)
            found.add(" ".join([group[0], *sorted(rest)]))  # start_date hangs on end_date, not on end_page
    return frozenset(found)
