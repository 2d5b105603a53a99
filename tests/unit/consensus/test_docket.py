"""A docket: every item of a table a deliberation of its own."""

import math
from dataclasses import replace

import pytest
from hypothesis import given as forall
from hypothesis import strategies as st

from domain.artifact import ArtifactRef
from domain.consensus.ballot_table import BallotTable, parse
from domain.consensus.docket import (
    QUESTION,
    DecideDocketRequest,
    Docket,
    ItemEstimate,
    ItemOutcome,
    RecordedLabel,
    check_docket_policy,
    check_table,
    decide_item,
    shown,
)
from domain.consensus.events import BallotCast, Decided, Opened, RoundClosed, Seat, Support
from domain.consensus.policy import Policy
from domain.consensus.replay import replay
from domain.consensus.state import NOT_OPENED, fold_all
from domain.refusal import Refusal
from domain.stream import Draft, item_stream
from tests.unit.consensus.given import AT
from tests.unit.drawing import examples

TABLE = """item,voter,choice,confidence
scan 1,ann,cat,0.9
scan 1,bob,cat,
scan 1,cem,dog,0.6
scan 2,ann,cat,
scan 2,ann,dog,
scan 2,bob,dog,
scan 3,ann,cat,
scan 3,bob,dog,
"""
REF = ArtifactRef("file:///x", "0" * 64, 1)
LABEL = RecordedLabel("scan 1", "ann", "cat")


def docket(text=TABLE, **policy):
    table = text if isinstance(text, BallotTable) else parse(text.encode(), kind="csv")
    return Docket("d", "Cat or dog?", "pets", Policy(**policy), table)


def decided(index, estimate=None, text=TABLE, **policy):
    draft = Draft(item_stream("d", index), "test", "docket/d", "run")
    return decide_item(docket(text, **policy), index, estimate or ItemEstimate(), draft, AT)


def test_an_item_is_a_whole_deliberation_on_a_stream_of_its_own():
    events, outcome = decided(0, threshold=0.6)
    assert [type(event.data) for event in events] == [Opened, *[BallotCast] * 3, RoundClosed, Decided]
    assert {event.stream for event in events} == {"consensus/d.0"}
    assert [event.version for event in events] == [1, 2, 3, 4, 5, 6]
    opening = events[0].data
    assert (opening.proposal.id, opening.proposal.question, opening.proposal.topic) == (
        "d.0",
        "Cat or dog?",
        "pets",
    )
    assert (opening.proposal.options, opening.docket, opening.item) == (("cat", "dog"), "d", "scan 1")
    assert opening.panel == (Seat("ann"), Seat("bob"), Seat("cem"))
    assert opening.candidates == 3
    assert opening.policy == Policy(threshold=0.6)
    assert events[1].data == BallotCast("ann", 1, "cat", 0.9)
    assert outcome == ItemOutcome(
        item="scan 1",
        stream="consensus/d.0",
        consensus="cat",
        leading="cat",
        tied=(),
        status="consensus",
        agreement=0.666666667,
        posterior={"cat": 0.666666667, "dog": 0.333333333},
        majority="cat",
        majority_tied=(),
        rounds_required=1,
    )


def test_an_item_without_consensus_still_names_what_leads():
    _, outcome = decided(0)
    assert (outcome.consensus, outcome.status) == (None, "unresolved")
    assert (outcome.leading, outcome.majority) == ("cat", "cat")


def test_a_tie_is_stated_and_not_broken():
    _, outcome = decided(2)
    assert (outcome.consensus, outcome.leading, outcome.tied) == (None, None, ("cat", "dog"))
    assert (outcome.majority, outcome.majority_tied) == (None, ("cat", "dog"))
    assert outcome.posterior == {"cat": 0.5, "dog": 0.5}


def test_a_voter_s_own_tie_is_an_abstention_that_keeps_its_labels():
    events, outcome = decided(1)
    said = events[1].data
    assert (said.choice, said.labels) == (None, ("cat", "dog"))
    assert said.reason == "its own 2 labels tie between 2 choices"
    assert outcome.consensus == "dog"


def test_weights_estimated_beforehand_are_those_of_the_seats():
    events, outcome = decided(0, ItemEstimate(weights=(0.1, 0.1, 0.9)))
    assert [seat.weight for seat in events[0].data.panel] == [0.1, 0.1, 0.9]
    assert outcome.consensus == "dog"
    assert events[-2].data.tally == (Support("dog", 0.9, 1), Support("cat", 0.2, 2))
    assert outcome.posterior == {"dog": round(9 / 11, 9), "cat": round(2 / 11, 9)}
    assert outcome.majority == "cat"


def test_weights_for_other_votes_than_the_item_s_are_a_fault_of_ours():
    with pytest.raises(ValueError, match="zip"):
        decided(0, ItemEstimate(weights=(1.0, 1.0)))


def test_a_posterior_estimated_beforehand_decides():
    posterior = {"cat": 0.1, "dog": 0.899_999_999_9, "cow": 1e-10}
    events, outcome = decided(0, ItemEstimate(posterior=posterior))
    assert outcome.posterior == {"cat": 0.1, "dog": 0.9}
    assert (outcome.consensus, outcome.leading, outcome.agreement) == ("dog", "dog", 0.9)
    assert events[-1].data.posterior == outcome.posterior


def test_items_with_nothing_but_abstentions_are_unresolved_without_shares():
    _, outcome = decided(0, text="item,voter,choice\n1,ann,cat\n1,ann,dog\n")
    assert (outcome.consensus, outcome.leading, outcome.tied, outcome.posterior) == (None, None, (), {})
    assert (outcome.majority, outcome.majority_tied, outcome.agreement) == (None, (), 0.0)


def test_deciding_an_item_again_gives_the_same_events_to_the_last_byte():
    assert decided(0) == decided(0)


LABELS = st.lists(
    st.tuples(
        st.sampled_from("12"), st.sampled_from(["ann", "bob", "cem"]), st.sampled_from(["cat", "dog", "cow"])
    ),
    min_size=1,
    max_size=12,
)


@examples(20)
@forall(LABELS, st.data())
def test_the_order_of_rows_never_changes_an_item(labels, data):
    def outcomes(rows):
        table = docket("item,voter,choice\n" + "\n".join(map(",".join, rows)))
        return {name: decided(i, text=table.table)[1] for i, name in enumerate(table.table.items)}

    before, after = outcomes(labels), outcomes(data.draw(st.permutations(labels)))
    assert before.keys() == after.keys()
    for name, outcome in before.items():
        assert replace(after[name], stream=outcome.stream) == outcome


@examples(20)
@forall(LABELS, st.sampled_from([0.4, 0.75, 1.0]))
def test_every_item_folds_and_replays_to_what_it_says(labels, threshold):
    table = parse(("item,voter,choice\n" + "\n".join(map(",".join, labels))).encode(), kind="csv")
    for index in range(len(table.items)):
        events, outcome = decided(index, text=table, threshold=threshold)
        state, divergence = replay(events)
        assert divergence is None
        assert state == fold_all(NOT_OPENED, events)
        assert (outcome.consensus, outcome.status) == (state.decided.consensus, state.decided.status)
        assert (outcome.consensus is None) == (outcome.status == "unresolved")
        assert (outcome.leading is None) == (len(state.decided.leading) != 1)
        assert outcome.tied == (state.decided.leading if len(state.decided.leading) > 1 else ())


def many_choices(number):
    return "item,voter,choice\n" + "".join(f"{n},ann,c{n}\n" for n in range(number))


def test_of_very_many_choices_an_item_s_options_are_those_it_could_come_to():
    assert len(decided(0, text=many_choices(100))[0][0].data.proposal.options) == 100
    assert decided(7, text=many_choices(101))[0][0].data.proposal.options == ("c7",)
    estimate = ItemEstimate(posterior={"c7": 0.9, "c8": 0.1, "c9": 1e-12})
    assert decided(7, estimate, many_choices(101))[0][0].data.proposal.options == ("c7", "c8")
    both = many_choices(101) + "7,bob,c1\n7,bob,c2\n7,bob,c2\n"
    assert decided(7, text=both)[0][0].data.proposal.options == ("c1", "c2", "c7")


def test_a_posterior_is_shown_with_nine_decimals_and_without_what_rounds_to_nothing():
    assert shown({"a": 1 / 3, "b": 1e-9, "c": 4e-10}) == {"a": 0.333333333, "b": 1e-9}


def test_the_dot_keeps_items_apart_from_every_proposal():
    assert item_stream("d", 12) == "consensus/d.12"


@pytest.mark.parametrize(
    ("field", "policy"),
    [
        ("policy.otherwise", Policy(otherwise="mediate")),
        ("policy.otherwise", Policy(otherwise="person")),
        ("policy.panel_size", Policy(panel_size=3)),
        ("policy.fault_model", Policy(fault_model="stake")),
    ],
)
def test_a_policy_that_recorded_ballots_cannot_satisfy_is_refused(field, policy):
    for check in (lambda: check_docket_policy(policy), lambda: DecideDocketRequest("d", REF, policy=policy)):
        with pytest.raises(Refusal) as caught:
            check()
        assert caught.value.field == field


@pytest.mark.parametrize("weighting", ["equal", "reputation", "posterior", "calibrated"])
def test_every_weighting_is_one_for_dockets(weighting):
    check_docket_policy(Policy(weighting=weighting))


def panel_table(voters):
    return parse(("item,voter,choice\n" + "".join(f"1,v{n},a\n" for n in range(voters))).encode(), kind="csv")


def test_a_table_is_taken_up_to_what_a_panel_holds_and_from_what_faults_need():
    check_table(panel_table(500), Policy())
    check_table(panel_table(1), Policy(fault_model="crash"))
    check_table(panel_table(4), Policy(fault_model="byzantine", faults=1))
    with pytest.raises(Refusal, match="item 1: has 501 voters, at most 500 decide one item"):
        check_table(panel_table(501), Policy())
    with pytest.raises(Refusal, match="item 1: has 3 voters, 4 are needed to bear 1 byzantine ones"):
        check_table(panel_table(3), Policy(fault_model="byzantine", faults=1))


def test_choices_that_would_not_fit_an_event_are_refused_before_any_item_is_decided():
    def table(length):
        rows = "".join(f"1,v{number},{number:0{length}}\n" for number in range(100))
        return parse(("item,voter,choice\n" + rows).encode(), kind="csv")

    check_table(table(160), Policy())
    with pytest.raises(Refusal, match="choice: 16100 bytes of different choices are too many, at most 16000"):
        check_table(table(161), Policy())


def test_voters_whose_names_would_not_fit_an_event_are_refused_by_their_item():
    def table(length):
        rows = "".join(f"1,{number:0{length}},a\n" for number in range(320))
        return parse(("item,voter,choice\n" + rows).encode(), kind="csv")

    check_table(table(200), Policy())
    long = replace(table(200), voters=tuple(f"{n:0201}" for n in range(320)))
    with pytest.raises(Refusal, match="item 1: has voters' names of 64320 bytes"):
        check_table(long, Policy())


def test_a_docket_is_asked_for_by_reference_or_with_its_rows():
    assert DecideDocketRequest("d", REF).question == QUESTION
    assert DecideDocketRequest("d", ballots=(LABEL,)).topic == "general"


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("id", {"id": "a.b"}),
        ("table", {"table": None}),
        ("table", {"ballots": (LABEL,)}),
        ("question", {"question": " "}),
        ("question", {"question": "\x1b[2J"}),
        ("topic", {"topic": "\x9b2J"}),
        ("question", {"question": "x" * 8_001}),
        ("topic", {"topic": ""}),
        ("topic", {"topic": "x" * 201}),
    ],
)
def test_a_docket_that_cannot_be_is_refused_by_its_field(field, changes):
    with pytest.raises(Refusal) as caught:
        replace(DecideDocketRequest("d", REF), **changes)
    assert caught.value.field == field


def test_a_docket_at_its_limits_is_taken():
    replace(DecideDocketRequest("d", REF), question="x" * 8_000, topic="x" * 200)
    assert math.isclose(sum(decided(0)[1].posterior.values()), 1, abs_tol=1e-8)
