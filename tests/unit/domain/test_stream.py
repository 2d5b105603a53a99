"""The next events of a stream: versions without a gap, each caused by the one before."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.consensus.events import BallotCast
from domain.event import event_id
from domain.refusal import Refusal
from domain.stream import (
    ITEM_ID,
    Draft,
    budget_stream,
    check_id,
    conflict_stream,
    consensus_stream,
    docket_stream,
    fleet_stream,
    item_stream,
    learning_stream,
    model_stream,
    writer_of,
)

AT = datetime(2026, 1, 1, tzinfo=UTC)
ONE, TWO = BallotCast("ann", 1, "yes"), BallotCast("bob", 1, "no")


def pen(**fields):
    return Draft("consensus/q", "writer", "workflow", "run", **fields)


def test_events_are_numbered_from_where_the_stream_stands():
    draft = pen(version=4, region="eu")
    first, second = draft.events([ONE, TWO], AT)
    (third,) = draft.events([ONE], AT)
    assert [event.version for event in (first, second, third)] == [5, 6, 7]
    assert draft.version == 7
    assert first.id == event_id(AT, "workflow", "run", "consensus/q", 5)
    assert (first.stream, first.source, first.data, first.time) == ("consensus/q", "writer", ONE, AT)
    assert (first.workflow_id, first.run_id, first.correlation_id) == ("workflow", "run", "workflow")
    assert first.region == "eu"


def test_each_event_names_the_one_that_caused_it():
    draft = pen(causation_id="from outside")
    first, second = draft.events([ONE, TWO], AT)
    (third,) = draft.events([ONE], AT)
    assert [event.causation_id for event in (first, second, third)] == ["from outside", first.id, second.id]
    assert pen().events([ONE], AT)[0].causation_id is None


def test_nothing_decided_is_nothing_written():
    draft = pen()
    assert draft.events([], AT) == []
    assert draft.version == 0


@given(st.lists(st.booleans(), max_size=6))
def test_drafting_again_gives_the_same_events_however_they_were_grouped(cuts):
    whole, parts = pen(), pen()
    together = whole.events([ONE] * (len(cuts) + 1), AT)
    apart, waiting = [], []
    for cut in [*cuts, True]:
        waiting.append(ONE)
        if cut:
            apart += parts.events(waiting, AT)
            waiting = []
    assert apart == together


@pytest.mark.parametrize("good", ["a", "7", "a-b_C9", "x" * 128])
def test_an_id_of_letters_digits_dashes_and_underscores_is_taken(good):
    check_id(good)


@pytest.mark.parametrize(
    "bad", ["", "x" * 129, "-a", "_a", "a.b", "a/b", "../a", "a b", "é", "a\n", "\x1b[2J", "٣", "a\0"]
)
def test_an_id_that_is_no_name_everywhere_is_refused_without_echoing_it_raw(bad):
    with pytest.raises(Refusal, match="1 to 128 letters") as caught:
        check_id(bad, "voter")
    assert caught.value.field == "voter"
    assert str(caught.value).isprintable()


def test_only_an_item_of_a_docket_has_a_dot_in_its_id():
    assert ITEM_ID.fullmatch("docket.12")
    assert not ITEM_ID.fullmatch("docket/12")


def test_every_stream_has_one_writer_and_an_item_that_of_its_docket():
    assert writer_of(consensus_stream("q")) == "consensus/q"
    assert writer_of(docket_stream("d")) == "docket/d"
    assert writer_of(conflict_stream("c")) == "conflict/c"
    assert writer_of(item_stream("d", 12)) == "docket/d"
    assert item_stream("d", 12) == "consensus/d.12"


@pytest.mark.parametrize(
    ("stream", "name"),
    [
        (learning_stream, "learning/x"),
        (model_stream, "model/x"),
        (budget_stream, "budget/x"),
        (fleet_stream, "fleet/x"),
    ],
)
def test_a_stream_of_learning_is_written_by_the_workflow_of_its_name(stream, name):
    assert stream("x") == name
    assert writer_of(name) == name
