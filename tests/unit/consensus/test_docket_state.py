"""The docket's own stream: what may follow what, and how a table is cut."""

from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.artifact import ArtifactRef
from domain.consensus.docket_state import (
    LEAST_SLICE,
    MAX_SLICES,
    NO_DOCKET,
    fold_docket,
    fold_docket_all,
    slices,
    withdraw,
)
from domain.consensus.events import (
    DocketClosed,
    DocketEstimated,
    DocketOpened,
    DocketWithdrawn,
    PersonRuled,
    SliceDecided,
)
from domain.consensus.policy import Policy
from domain.refusal import ImpossibleEvent
from domain.stream import Draft

AT = datetime(2026, 1, 1, tzinfo=UTC)
REF = ArtifactRef("x", "0" * 64, 1)
OPENED = DocketOpened("d", "q?", "general", REF, 1000, 3, ("a", "b"), Policy())
ESTIMATED = DocketEstimated("dawid-skene", -1.0, {"a": 1.0}, 3, converged=True, estimate=REF)
FIRST = SliceDecided(0, 500, 4000, {"consensus": 400, "unresolved": 100})
SECOND = SliceDecided(500, 1000, 4000, {"consensus": 500})
CLOSED = DocketClosed(1000, {"consensus": 900, "unresolved": 100}, REF)

WITHDRAWN = DocketWithdrawn("temporal", "", 0)


def folded(*data):
    state = NO_DOCKET
    for event in Draft("docket/d", "test", "docket/d", "run").events(data, AT):
        state = fold_docket(state, event)
    return state


def test_a_docket_folds_to_the_same_in_one_go():
    events = Draft("docket/d", "test", "docket/d", "run").events([OPENED, FIRST, SECOND, CLOSED], AT)
    assert fold_docket_all(NO_DOCKET, events) == folded(OPENED, FIRST, SECOND, CLOSED)


def test_a_docket_counts_what_was_decided():
    state = folded(OPENED, ESTIMATED, SECOND, FIRST, CLOSED)
    assert state.decided == 1000
    assert state.statuses == {"consensus": 900, "unresolved": 100}
    assert state.closed == CLOSED


@pytest.mark.parametrize(
    ("history", "problem"),
    [
        ([FIRST], "before the opening"),
        ([OPENED, OPENED], "after the opening"),
        ([OPENED, FIRST, ESTIMATED], "after items were decided"),
        ([OPENED, ESTIMATED, ESTIMATED], "second estimate"),
        ([OPENED, FIRST, SliceDecided(499, 600, 1, {})], "overlap"),
        ([OPENED, FIRST, CLOSED], "before every item"),
        ([OPENED, FIRST, SECOND, CLOSED, FIRST], "after the close"),
        ([OPENED, PersonRuled("p", "a", "r")], "no event of a docket"),
        ([OPENED, WITHDRAWN, FIRST], "after the withdrawal"),
        ([OPENED, FIRST, WITHDRAWN], "tells of 0 decided items, not 500"),
        ([OPENED, FIRST, SECOND, CLOSED, WITHDRAWN], "after the close"),
    ],
)
def test_what_cannot_have_happened_is_refused(history, problem):
    with pytest.raises(ImpossibleEvent, match=problem):
        folded(*history)


@given(items=st.integers(1, 3_000_000))
def test_slices_cover_every_item_once_in_few_pieces(items):
    parts = slices(items)
    assert parts[0][0] == 0
    assert parts[-1][1] == items
    assert all(a[1] == b[0] for a, b in pairwise(parts))
    assert len(parts) <= MAX_SLICES
    assert all(last - first >= min(items, LEAST_SLICE) for first, last in parts[:-1])


def test_a_docket_is_withdrawn_with_what_was_decided_by_then():
    assert withdraw(folded(OPENED, FIRST), "enough") == [DocketWithdrawn("temporal", "enough", 500)]
    assert folded(OPENED, FIRST, DocketWithdrawn("temporal", "enough", 500)).withdrawn is not None


@pytest.mark.parametrize("history", [[], [OPENED, WITHDRAWN], [OPENED, FIRST, SECOND, CLOSED]])
def test_what_has_ended_or_never_began_is_not_withdrawn(history):
    assert withdraw(folded(*history), "enough") == []
