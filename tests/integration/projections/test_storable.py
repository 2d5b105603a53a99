"""Whatever a forger writes into an event: it is stored or parked, and the rest of the partition goes on."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.artifact import ArtifactRef
from domain.consensus.events import DocketClosed, DocketEstimated, DocketOpened, SliceDecided
from domain.consensus.policy import Policy
from eventlog import codec
from eventlog.codec import encode
from tests.integration.projections.bed import discarded, event, history
from tests.integration.projections.test_engine import SHARED

TABLE = ArtifactRef("file:///table", "0" * 64, 1)


def docket(name):
    """A whole docket, without its items."""
    said = [
        DocketOpened(name, "Which?", "weather", TABLE, 3, 2, ("yes", "no"), Policy()),
        DocketEstimated("posterior", -1.5, {"yes": 0.5, "no": 0.5}, 3, converged=True, estimate=TABLE),
        SliceDecided(0, 3, 12, {"consensus": 3}),
        DocketClosed(3, {"consensus": 3}, TABLE),
    ]
    return [event(f"docket/{name}", version, data) for version, data in enumerate(said, 1)]


KINDS = {
    "deliberation": history,
    "docket": docket,
    "discard": lambda name: [discarded(f"decisions.0.{1_000 + int(name)}", f"consensus/{name}")],
}
# As JSON has them: beyond 16, 32, 63 and 64 bits, beyond a double, text that no database takes, odd times.
NASTY = [
    *(
        str(sign * (2**bits + more))
        for bits in (15, 31, 32, 53, 63, 64)
        for sign in (1, -1)
        for more in (-1, 0)
    ),
    *("1e308", "-1e308", "1e400", "5e-324", "-0.0", "NaN", "Infinity", "9" * 5_000),
    *(r'"\u0000"', r'"\ud800"', r'"\udc00\ud800"', r'"\uffff\u202e\u0001"', f'"{"x" * 70_000}"', '""'),
    *(
        f'"{time}"'
        for time in ("1970-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z", "0001-01-01T00:00:00Z")
    ),
    *('"9999-12-31T23:59:59.999998Z"', '"infinity"', "null", "true", "[]", "{}", "[" * 2_000 + "]" * 2_000),
]
PLACE = "the place of the forgery"


def leaves(value, path=()):
    """The path of each leaf of a JSON value, and of each key of an object."""
    if isinstance(value, dict | list) and value:
        items = value.items() if isinstance(value, dict) else enumerate(value)
        return [found for key, inner in items for found in leaves(inner, (*path, key))]
    return [path]


def forged(event_, number, literal):
    """The event's bytes with another literal in the place of one of its leaves."""
    value = json.loads(encode(event_))
    paths = leaves(value)
    *outer, last = paths[number % len(paths)]
    inside = value
    for key in outer:
        inside = inside[key]
    inside[last] = PLACE
    return json.dumps(value).replace(json.dumps(PLACE), literal).encode()


@SHARED
@given(
    st.sampled_from([*KINDS]),
    st.lists(
        st.tuples(st.integers(0, 9), st.integers(0, 99), st.sampled_from(NASTY)), min_size=1, max_size=40
    ),
)
async def test_a_forged_value_is_stored_or_parked_and_holds_up_nobody(bed, kind, forgeries):
    await bed.empty()
    topic = "deadletters" if kind == "discard" else "decisions"
    for name, (which, leaf, literal) in enumerate(forgeries):
        events = KINDS[kind](str(name))
        for number, real in enumerate(events):
            value = forged(real, leaf, literal) if number == which % len(events) else encode(real)
            bed.log.put(value, real.stream.encode(), topic)
    bed.log.append(history("b"))
    bed.log.append([discarded("decisions.0.98", "consensus/y")], topic="deadletters")
    await bed.project()
    await bed.project("deadletters")
    assert (await bed.versions())["consensus/b"] == 6
    assert "decisions.0.98" in dict(await bed.rows("discard", "dead_letter, who"))
    assert await bed.differences() == []


async def test_without_the_bounds_on_numbers_a_forgery_would_reach_the_tables(bed, monkeypatch):
    opened = docket("d")[0]
    value = encode(opened).replace(b'"items":3', b'"items":%d' % 2**64)
    bed.log.put(value, opened.stream.encode())
    await bed.project()
    assert await bed.parked() == [(0, "undecodable")]
    await bed.empty()
    bed.log.put(value, opened.stream.encode())
    monkeypatch.setattr(codec, "_BOUNDED", {})
    with pytest.raises(OverflowError):
        await bed.project()
