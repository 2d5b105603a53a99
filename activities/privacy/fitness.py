"""What the aggregator looks at in the messages that it passes on: one that is none drops its sender alone.

Every client looks again, since the aggregator may lie; but there each would end its own part for one forger.
"""

from collections import Counter
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from activities.privacy.port import RoundLost
from activities.privacy.primitives import LOW_ORDER, signed_by
from activities.privacy.terms import Terms
from activities.privacy.wire import RoundKeys, ordered

Places = Mapping[int, bytes]
"""Messages by the place of their sender in the cohort."""


def introduced(terms: Terms, said: Places, *, signed: bool) -> tuple[dict[int, bytes], dict[int, str]]:
    """Whose keys all others will take; of the others, why not. `signed`: whether signatures are looked at."""
    wrong = {index: why for index, raw in said.items() if (why := _unfit(terms, index, raw, signed=signed))}
    known = {index: RoundKeys.unpack(raw) for index, raw in said.items() if index not in wrong}
    seen = Counter(key for keys in known.values() for key in (keys.channel, keys.mask))
    for index, keys in known.items():
        if seen[keys.channel] > 1 or seen[keys.mask] > 1:
            wrong[index] = "keys: one is there twice, and no two clients have the same"
    return {index: raw for index, raw in said.items() if index not in wrong}, wrong


def _unfit(terms: Terms, index: int, raw: bytes, *, signed: bool) -> str | None:
    if len(raw) != RoundKeys.BYTES:
        return f"keys: they have {len(raw)} bytes, not {RoundKeys.BYTES}"
    keys = RoundKeys.unpack(raw)
    if keys.channel in LOW_ORDER or keys.mask in LOW_ORDER:
        return "keys: one gives no secret"
    said = RoundKeys.statement(terms.digest, index, keys.channel, keys.mask)
    if signed and not signed_by(terms.identities[index], keys.signature, said):
        return "keys: they are not signed, for this attempt, by its identity in the roster"
    return None


def entries(terms: Terms, said: Places, size: int) -> tuple[dict[int, NDArray[np.void]], dict[int, str]]:
    """What each has for others, entries of `size` bytes; of those whose message is none, why."""
    found, wrong = {}, {}
    for index, raw in said.items():
        try:
            found[index] = ordered(raw, size, len(terms.cohort), "message")
        except RoundLost as lost:
            wrong[index] = str(lost)
    return found, wrong
