"""The fold: it follows every honest history and refuses every event that could not have happened."""

import hashlib
from dataclasses import replace

import pytest
from hypothesis import given as forall
from hypothesis import strategies as st

from domain.consensus.events import (
    BallotCast,
    BallotSealed,
    Decided,
    DocketClosed,
    MediationGiven,
    Opened,
    PersonRuled,
    RoundClosed,
    Seat,
    Withdrawn,
)
from domain.consensus.policy import Policy
from domain.consensus.possible import commitment, compelled
from domain.consensus.settle import conclude, next_step, withdraw
from domain.consensus.state import NOT_OPENED, CountedBallot, fold, fold_all
from domain.refusal import ImpossibleEvent, Refusal
from tests.unit.consensus.given import (
    AT,
    Sitting,
    altered,
    ballot,
    draft,
    given,
    live,
    opened,
    refold,
    settled,
)
from tests.unit.drawing import examples


def impossible(log, field=None):
    with pytest.raises(ImpossibleEvent) as caught:
        refold(log)
    assert isinstance(caught.value, Refusal)
    assert str(caught.value).isprintable()
    assert field is None or caught.value.field == field


def renumbered(log):
    return [replace(event, version=number) for number, event in enumerate(log, 1)]


def inserted(log, at, data):
    """What a careful forger writes: the versions fit again."""
    return renumbered([*log[:at], *draft().events([data], AT), *log[at:]])


def two_rounds():
    """Sealed ballots, an equivocation, a changed mind, a decision: every kind of event but two."""
    sitting = Sitting.of("ann", "bob", "cem", "dee", "eve")
    sitting.cast("eve", "yes")
    sitting.round(ann="yes", bob="yes", cem="no", dee="no", eve="no")
    sitting.round(ann="yes", bob="yes", cem="yes", dee="no", eve="yes")
    sitting.conclude()
    assert sitting.state.decided.consensus == "yes"
    return sitting.log


def where(log, kind, nth=0):
    return [index for index, event in enumerate(log) if isinstance(event.data, kind)][nth]


def at(log, index, **fields):
    return [*log[:index], altered(log[index], **fields), *log[index + 1 :]]


def test_before_its_first_event_nothing_is_open():
    assert (NOT_OPENED.proposal, NOT_OPENED.last_round, NOT_OPENED.seat("ann")) == (None, None, None)
    assert not NOT_OPENED.balloting
    assert NOT_OPENED.asked == ()


def test_the_state_holds_what_the_events_said():
    opening = (
        opened("ann", "bob", docket="d") if False else replace(opened("ann", "bob"), docket="d", item="i")
    )
    said = ballot("ann", "yes")
    after = given(opening, said)
    state = after.state
    assert (state.proposal, state.policy, state.panel) == (opening.proposal, opening.policy, opening.panel)
    assert (state.docket, state.item, state.opened_at) == ("d", "i", AT)
    assert (state.round, state.options, state.asked) == (1, ("yes", "no"), ("yes", "no"))
    assert state.balloting
    assert state.ballots == (CountedBallot(after.events[1].id, said),) == state.ballots_of(1)
    assert state.ballots_of(2) == ()
    assert state.event_ids == tuple(event.id for event in after.events)
    assert state.seat("bob") == Seat("bob")
    assert state.seat("eve") is None


@examples(30)
@forall(settled() | live())
def test_folding_any_honest_history_never_raises(log):
    state = fold_all(NOT_OPENED, log)
    assert state.decided is not None
    assert next_step(state) == "settled"
    assert state.sealed == ()
    assert state.event_ids == tuple(event.id for event in log)
    assert {counted.event_id for counted in state.ballots} <= set(state.event_ids)


@examples(30)
@forall(settled() | live(), st.data())
def test_events_fold_alike_one_by_one_and_in_any_batches(log, data):
    cut = data.draw(st.integers(0, len(log)))
    assert fold_all(fold_all(NOT_OPENED, log[:cut]), log[cut:]) == fold_all(NOT_OPENED, log) == refold(log)


@examples(40)
@forall(settled() | live(), st.data())
def test_a_history_with_one_event_dropped_doubled_or_moved_is_refused(log, data):
    index = data.draw(st.integers(0, len(log) - 2))
    event, rest = log[index], [*log[:index], *log[index + 1 :]]
    impossible(rest)
    impossible([*log[: index + 1], event, *log[index + 1 :]])
    impossible([*rest, event])


@examples(30)
@forall(settled() | live(), st.data())
def test_nothing_follows_a_decision_even_under_the_right_version(log, data):
    impossible(renumbered([*log, data.draw(st.sampled_from(log))]), "type")


@examples(40)
@forall(settled() | live(), st.data())
def test_a_ballot_off_the_panel_or_of_another_round_is_refused(log, data):
    places = [i for i, event in enumerate(log) if isinstance(event.data, BallotCast | BallotSealed)]
    if places:
        index = data.draw(st.sampled_from(places))
        number = log[index].data.round
        impossible(at(log, index, voter="eve"), "voter")
        impossible(at(log, index, round=number + data.draw(st.sampled_from([-1, 1]))), "round")
    closing = data.draw(st.sampled_from([i for i, e in enumerate(log) if isinstance(e.data, RoundClosed)]))
    impossible(at(log, closing, round=log[closing].data.round + 1), "round")


@examples(40)
@forall(
    settled() | live(),
    st.sampled_from(["consensus", "status", "authority", "policy", "rounds_required", "leading"]),
)
def test_a_decision_that_the_record_does_not_compel_is_refused(log, field):
    decided = log[-1].data
    other = {
        "consensus": "mauve" if decided.consensus is None else None,
        "status": "unresolved" if decided.status == "consensus" else "consensus",
        "authority": "person" if decided.authority != "person" else "rule",
        "policy": replace(decided.policy, seed=decided.policy.seed + 1),
        "rounds_required": decided.rounds_required + 1,
        "leading": (*decided.leading, "mauve"),
    }
    impossible(at(log, len(log) - 1, **{field: other[field]}))


@examples(30)
@forall(live(), st.data())
def test_a_sealed_ballot_cannot_be_opened_by_another(log, data):
    places = [i for i, event in enumerate(log) if isinstance(event.data, BallotCast)]
    if places:
        index = data.draw(st.sampled_from(places))
        said = log[index].data
        for forged in (
            {"choice": "red" if said.choice != "red" else "blue"},
            {"confidence": 0.125},
            {"reason": "forged"},
            {"nonce": "another"},
            {"nonce": None},
        ):
            impossible(at(log, index, **forged), "commitment")


def test_every_part_of_a_ballot_is_under_its_commitment():
    said = ballot("ann", "yes", confidence=0.5, reason="because", nonce="n")
    parts = {"voter": "bob", "round": 2, "choice": "no", "confidence": 0.6, "reason": "why not", "nonce": "m"}
    seals = {commitment(said), *(commitment(replace(said, **{part: other})) for part, other in parts.items())}
    assert len(seals) == len(parts) + 1
    assert commitment(replace(said, changed=True, labels=("yes",))) == commitment(said)


def test_a_commitment_can_be_checked_by_hand():
    text = '[1, "ann", "\\u00e9", 0.5, "because", "n"]'
    said = ballot("ann", "é", confidence=0.5, reason="because", nonce="n")
    assert commitment(said) == hashlib.sha256(text.encode()).hexdigest()
    assert commitment(replace(said, confidence=1)) == commitment(replace(said, confidence=1.0))


def test_a_commitments_text_is_the_one_that_the_reference_of_events_describes():
    text = r'[2, "ann", null, 1e-05, "\"\\/\b\f\n\r\t\u0001\u007f\ud83d\ude00", "n"]'
    said = ballot("ann", None, 2, confidence=0.00001, reason='"\\/\b\f\n\r\t\x01\x7f😀', nonce="n")
    assert commitment(said) == hashlib.sha256(text.encode("ascii")).hexdigest()


def test_a_seal_cannot_be_forged_dropped_or_left_unopened():
    log = two_rounds()
    seal, cast = where(log, BallotSealed, 2), where(log, BallotCast, 2)
    impossible(at(log, seal, commitment="0" * 64), "commitment")
    impossible(renumbered([*log[:seal], *log[seal + 1 :]]), "commitment")
    impossible(renumbered([*log[:cast], *log[cast + 1 :]]), "commitment")
    impossible(inserted(log, cast + 1, log[cast].data), "commitment")


def test_a_voter_seals_no_ballot_twice_and_no_third_one():
    log = two_rounds()
    first, last = where(log, BallotSealed), where(log, BallotSealed, 5)
    impossible(inserted(log, first + 1, log[first].data)[: first + 2], "commitment")
    impossible(inserted(log, last + 1, BallotSealed("eve", 1, "0" * 64))[: last + 2], "commitment")
    assert refold(inserted(log, first + 1, BallotSealed("ann", 1, "0" * 64))[: first + 2]).balloting


def test_one_voter_s_seal_does_not_open_another_s_ballot():
    sitting = Sitting.of("ann", "bob")
    sitting.cast("ann", "yes")
    impossible([*sitting.log, *draft(2).events([replace(sitting.held[0], voter="bob")], AT)], "commitment")


def test_recorded_ballots_beside_sealed_ones_need_no_seal():
    sitting = Sitting.of("ann", "bob")
    sitting.cast("ann", "yes")
    sitting.write([ballot("bob", "no"), *sitting.held])
    assert len(sitting.state.ballots) == 2
    assert sitting.state.sealed == ()


@pytest.mark.parametrize(
    ("panel", "field"),
    [
        ((), "panel"),
        ((Seat("ann"), Seat("ann")), "panel"),
        ((Seat("ann", float("nan")),), "panel"),
        ((Seat("ann", float("inf")),), "panel"),
        ((Seat("ann", -0.1),), "panel"),
    ],
)
def test_an_opening_with_an_impossible_panel_is_refused(panel, field):
    impossible(draft().events([replace(opened(), panel=panel)], AT), field)


def test_a_seat_without_weight_may_sit():
    assert given(opened("ann", "bob", weights=(0.0, 1.0))).state.balloting


def test_only_an_opening_opens_and_only_once():
    log = two_rounds()
    for event in log[1:]:
        impossible(renumbered([event]), "type")
    for place in range(1, len(log)):
        impossible(inserted(log, place, log[0].data), "type")


def test_an_event_of_another_capability_is_refused():
    impossible([*two_rounds()[:1], *draft(1).events([DocketClosed(1, {}, None)], AT)], "type")
    impossible(draft().events([DocketClosed(1, {}, None)], AT), "type")


def test_a_version_that_is_not_the_next_is_named_with_the_next():
    (event,) = draft(4).events([ballot("ann", "yes")], AT)
    with pytest.raises(ImpossibleEvent, match="version: consensus/q is at version 1, so 5 is not the next"):
        fold(given(opened()).state, event)


def test_a_round_cannot_be_closed_into_what_the_policy_forbids():
    log = two_rounds()
    first, last = where(log, RoundClosed), where(log, RoundClosed, 1)
    impossible(at(log, first, options=("yes", "maybe")), "options")
    impossible(at(log, last, leading=("yes", "no")), "leading")
    impossible(at(log, last, leading=()), "leading")
    impossible([*log[:last], altered(log[last], stop="open"), *log[last + 1 :]], "type")
    one = Sitting.of("ann", "bob", max_rounds=1)
    one.round(ann="yes", bob="no")
    impossible([*one.log[:-1], altered(one.log[-1], stop="open")], "stop")


def test_a_round_is_closed_once():
    log = two_rounds()
    for nth in (0, 1):
        closing = where(log, RoundClosed, nth)
        impossible(inserted(log, closing + 1, log[closing].data), "round")


def test_a_closed_round_may_keep_or_narrow_the_options():
    log = two_rounds()[: where(two_rounds(), RoundClosed) + 1]
    assert refold(log).options == ("yes", "no")
    assert refold(at(log, len(log) - 1, options=())).options == ("yes", "no")
    assert refold(at(log, len(log) - 1, options=("no",))).options == ("no",)
    assert refold(at(log, len(log) - 1, options=("no",))).asked == ("yes", "no")


def test_nothing_is_settled_while_a_round_is_open():
    sitting = Sitting.of("ann", "bob", otherwise="person")
    decided = two_rounds()[-1].data
    for early in (decided, MediationGiven("m", None, "s"), PersonRuled("Pat", "yes", "r")):
        impossible([*sitting.log, *draft(1).events([early], AT)], "type")
    sitting.round(ann="yes", bob="no")
    for early in (decided, MediationGiven("m", None, "s"), PersonRuled("Pat", "yes", "r")):
        impossible([*sitting.log, *draft(len(sitting.log)).events([early], AT)], "type")


def stuck(otherwise):
    """A deliberation whose last round found nothing."""
    sitting = Sitting.of("ann", "bob", max_rounds=1, otherwise=otherwise)
    sitting.round(ann="yes", bob="no")
    return sitting


def test_a_mediator_or_a_person_speaks_only_where_the_policy_asks_and_once():
    mediation, ruling = MediationGiven("m", None, "s"), PersonRuled("Pat", "yes", "r")
    for otherwise, data in (
        ("unresolved", mediation),
        ("unresolved", ruling),
        ("person", mediation),
        ("mediate", ruling),
    ):
        sitting = stuck(otherwise)
        sitting.write([data])
        impossible(sitting.log, "type")
    for otherwise, data in (("mediate", mediation), ("person", ruling)):
        sitting = stuck(otherwise)
        sitting.write([data])
        assert sitting.state.mediation or sitting.state.ruling
        sitting.write([data])
        impossible(sitting.log, "type")


def test_a_mediator_or_a_person_chooses_among_the_options():
    for otherwise, data in (
        ("mediate", MediationGiven("m", "mauve", "s")),
        ("person", PersonRuled("Pat", "mauve", "r")),
    ):
        sitting = stuck(otherwise)
        sitting.write([data])
        impossible(sitting.log, "choice")


def test_nobody_overrules_a_panel_that_agreed():
    sitting = Sitting.of("ann", "bob", otherwise="person")
    sitting.round(ann="yes", bob="yes")
    sitting.write([PersonRuled("Pat", "no", "r")])
    impossible(sitting.log, "type")


def test_what_the_record_compels_names_who_decided_and_why():
    last = stuck("mediate").state.last_round
    mediated, abstained = MediationGiven("m", "yes", "the evidence"), MediationGiven("m", None, "nothing")
    ruling = PersonRuled("Pat", "no", "I looked")
    said = compelled(Policy(otherwise="mediate"), last, mediated, None)
    assert said == ("yes", "mediated", "mediator", "the evidence")
    said = compelled(Policy(otherwise="mediate"), last, abstained, None)
    assert said == (None, "unresolved", "rule", f"{last.reason}; the mediator abstained")
    said = compelled(Policy(otherwise="person"), last, None, ruling)
    assert said == ("no", "ruled_by_person", "person", "I looked")
    said = compelled(Policy(otherwise="person"), last, None, None)
    assert said == (None, "unresolved", "rule", f"{last.reason}; no person ruled in time")
    assert compelled(Policy(), last, None, None) == (None, "unresolved", "rule", last.reason)
    agreed = replace(last, stop="threshold", leading=("no",), reason="they agree")
    assert compelled(Policy(), agreed, None, None) == ("no", "consensus", "consensus", "they agree")


def test_the_words_of_a_reason_may_change_between_releases():
    log = two_rounds()
    assert refold(at(log, len(log) - 1, reason="said otherwise")).decided.reason == "said otherwise"
    assert isinstance(log[-1].data, Decided)
    assert isinstance(log[0].data, Opened)


def test_an_open_deliberation_is_withdrawn_without_any_choice_and_then_takes_nothing_more():
    sitting = Sitting.of("ann", "bob")
    sitting.cast("ann", "yes")
    (event,) = sitting.write(withdraw(sitting.state, "no longer ours\x1b[2J", AT))
    assert event.data == Withdrawn("temporal", "no longer ours\\x1b[2J", 0)
    assert (sitting.state.withdrawn, sitting.state.decided) == (event.data, None)
    assert (next_step(sitting.state), sitting.state.balloting) == ("settled", False)
    assert withdraw(sitting.state, "again", AT) == conclude(sitting.state, AT) == []
    for late in (event.data, BallotCast("bob", 1, "yes")):
        impossible([*sitting.log, *draft(len(sitting.log)).events([late], AT)], "type")


def test_what_the_record_compels_already_is_not_withdrawn_but_stated():
    sitting = Sitting.of("ann", "bob")
    sitting.round(ann="yes", bob="yes")
    (event,) = sitting.write(withdraw(sitting.state, "too late", AT))
    assert isinstance(event.data, Decided)
    assert withdraw(sitting.state, "later still", AT) == withdraw(NOT_OPENED, "too early", AT) == []


def test_a_withdrawal_after_a_decisive_round_or_of_other_rounds_is_impossible():
    decisive = Sitting.of("ann", "bob")
    decisive.round(ann="yes", bob="yes")
    forged = draft(len(decisive.log)).events([Withdrawn("temporal", "", 1)], AT)
    impossible([*decisive.log, *forged], "type")
    fresh = Sitting.of("ann", "bob")
    impossible([*fresh.log, *draft(1).events([Withdrawn("temporal", "", 1)], AT)], "rounds")
