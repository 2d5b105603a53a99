"""Decisions: given events, when a command, then events."""

import json
from dataclasses import asdict, replace
from datetime import timedelta

import pytest
from hypothesis import given as forall

from domain.consensus.commands import CastBallot, OpenDeliberation, Rule, Voter
from domain.consensus.decide import (
    AlreadyEquivocated,
    AlreadyUnderSeal,
    NotOnThePanel,
    RoundIsClosed,
    close_round,
    open_deliberation,
    seal_ballot,
)
from domain.consensus.events import (
    BallotCast,
    BallotSealed,
    Decided,
    MediationGiven,
    Objection,
    Opened,
    PersonRuled,
    Proposal,
    RoundClosed,
    Score,
    Seat,
    Support,
)
from domain.consensus.policy import Policy
from domain.consensus.possible import commitment
from domain.consensus.settle import conclude, give_mediation, next_step, rule, scores
from domain.consensus.state import NOT_OPENED
from domain.refusal import Refusal
from tests.unit.consensus.given import AT, Sitting, ballot, ballots, given, live, opened, refold, settled
from tests.unit.drawing import examples

STAGES = (BallotSealed, BallotCast, RoundClosed)
YES = CastBallot("ann", "yes", 0.9, "because")


def test_a_question_opens_a_deliberation_with_everything_its_outcome_depends_on():
    question = OpenDeliberation(
        "q",
        "Is it so?",
        ("yes", "no"),
        (Voter("ann", region="eu"), Voter("bob")),
        topic="law",
        region="eu",
        context=("c",),
        evidence=("e",),
        policy=Policy(seed=3, panel_size=1),
    )
    proposal = Proposal("q", "Is it so?", ("yes", "no"), "law", "eu", ("c",), ("e",))
    panel = (Seat("ann", 1.0, "eu"),)
    assert open_deliberation(question) == [Opened(proposal, question.policy, panel, candidates=2)]


def test_reputations_weigh_the_panel_they_are_given_for():
    policy = Policy(weighting="reputation")
    question = OpenDeliberation("q", "Is it so?", ("yes", "no"), (Voter("ann"),), policy=policy)
    (opening,) = open_deliberation(question, {"ann": 0.75})
    assert opening.panel == (Seat("ann", 0.75),)


def test_a_ballot_is_recorded_as_a_commitment_and_held_until_the_round_closes():
    sealing, held = seal_ballot(given(opened()).state, YES, (), "secret")
    assert held == ballot("ann", "yes", confidence=0.9, reason="because", nonce="secret")
    assert sealing == [BallotSealed("ann", 1, commitment(held))]


def test_an_abstention_is_sealed_like_any_ballot():
    _, held = seal_ballot(given(opened()).state, CastBallot("ann", None, round=1), (), "secret")
    assert held.choice is None


def test_repeating_a_ballot_writes_nothing():
    _, held = seal_ballot(given(opened()).state, YES, (), "secret")
    assert seal_ballot(given(opened()).state, YES, [held], "another") == ([], None)


@pytest.mark.parametrize(
    ("command", "refusal", "field", "says"),
    [
        (CastBallot("eve", "yes"), NotOnThePanel, "voter", "eve is not on the panel"),
        (CastBallot("ann", "mauve"), Refusal, "choice", "'mauve' is not an option of round 1"),
        (
            CastBallot("ann", "yes", round=2),
            RoundIsClosed,
            "round",
            "round 2 is not open, the open round is 1",
        ),
        (CastBallot("ann", "yes", round=0), RoundIsClosed, "round", "round 0 is not open"),
    ],
)
def test_a_ballot_that_cannot_be_taken_is_refused_by_name(command, refusal, field, says):
    given(opened()).when(seal_ballot, command, (), "n").refused(refusal, field=field, says=says)


def test_a_ballot_before_the_opening_or_after_the_last_round_is_refused():
    given().when(seal_ballot, YES, (), "n").refused(RoundIsClosed, field="round", says="no more ballots")
    closed = given(opened(max_rounds=1), *close_round(given(opened(max_rounds=1)).state, []))
    closed.when(seal_ballot, YES, (), "n").refused(RoundIsClosed, field="round", says="no more ballots")


def test_repeating_a_ballot_of_a_closed_round_is_no_late_ballot():
    first = replace(YES, round=1)
    _, held = seal_ballot(given(opened()).state, first, (), "secret")
    sitting = Sitting.of("ann", "bob")
    sitting.round(ann="yes", bob="no")
    assert seal_ballot(sitting.state, first, [held], "another") == ([], None)
    with pytest.raises(RoundIsClosed, match="round 1 is not open, the open round is 2"):
        seal_ballot(sitting.state, replace(first, reason="another"), [held], "another")


def test_a_late_ballot_is_refused_with_the_round_that_is_open():
    sitting = Sitting.of("ann", "bob")
    sitting.round(ann="yes", bob="no")
    with pytest.raises(RoundIsClosed, match="round 1 is not open, the open round is 2"):
        seal_ballot(sitting.state, replace(YES, round=1), (), "n")


def test_an_option_that_left_is_refused_in_the_next_round():
    sitting = Sitting.of("ann", "bob", "cem", "dee", "eve", options=("red", "green", "blue"), floor=0.3)
    sitting.round(ann="red", bob="red", cem="green", dee="green", eve="blue")
    assert sitting.state.options == ("red", "green")
    with pytest.raises(Refusal, match="choice: 'blue' is not an option of round 2"):
        sitting.cast("eve", "blue")


def test_a_second_ballot_with_another_choice_is_taken_because_the_record_must_show_it():
    sitting = Sitting.of("ann", "bob")
    sitting.cast("ann", "yes")
    assert len(sitting.cast("ann", "no")) == 1
    assert [held.choice for held in sitting.held] == ["yes", "no"]
    assert sitting.cast("ann", "no") == [], "repeated, it writes nothing"


def test_a_third_choice_says_nothing_new_and_is_refused():
    sitting = Sitting.of("ann", "bob")
    sitting.cast("ann", "yes")
    sitting.cast("ann", "no")
    with pytest.raises(AlreadyEquivocated, match="voter: ann has two different ballots in round 1"):
        sitting.cast("ann", None)


@pytest.mark.parametrize("said", [{"confidence": 0.5}, {"reason": "in other words"}])
def test_the_same_choice_in_other_words_is_refused_so_that_nobody_fills_the_log(said):
    sitting = Sitting.of("ann", "bob")
    sitting.cast("ann", "yes")
    with pytest.raises(AlreadyUnderSeal, match="voter: ann has this choice under seal in round 1"):
        sitting.cast("ann", "yes", **said)


def test_closing_a_round_reveals_its_ballots_and_its_count():
    said = ballots(ann="yes", bob="yes", cem="yes", dee="no")
    count = RoundClosed(
        round=1,
        tally=(Support("yes", 3.0, 3), Support("no", 1.0, 1)),
        leading=("yes",),
        agreement=0.75,
        cast=4,
        abstained=0,
        stop="threshold",
        reason="the leading choice has 0.7500, the threshold 0.75 is reached",
    )
    given(opened()).when(close_round, said).then(*said, count)


def test_an_open_round_tells_the_next_one_its_options_and_objections():
    said = [*ballots(ann="red", bob="red", cem="green"), ballot("dee", "blue", reason="it is wet")]
    closed = given(opened(options=("red", "green", "blue"), floor=0.3)).when(close_round, said).events()[-1]
    assert (closed.stop, closed.leading, closed.agreement) == ("open", ("red",), 0.5)
    assert closed.options == ("red", "green", "blue"), "green and blue tie for the second place"
    assert closed.objections == (Objection("dee", "blue", "it is wet"),)


def test_the_last_round_tells_no_next_one():
    said = [ballot("ann", "yes"), ballot("bob", "no", reason="why not")]
    closed = given(opened("ann", "bob", max_rounds=1)).when(close_round, said).events()[-1]
    assert (closed.options, closed.objections) == ((), ())


def test_an_invalid_answer_is_an_abstention_with_its_reason():
    said = [ballot("ann", "mauve", confidence=0.7, reason="I like it"), ballot("bob", "ye\x1b[2Js")]
    first, second, closed = given(opened()).when(close_round, said).events()
    assert (first.choice, first.reason) == (None, "abstained: 'mauve' is not an option of round 1")
    assert (second.choice, second.reason) == (None, "abstained: 'ye\\x1b[2Js' is not an option of round 1")
    assert (closed.cast, closed.abstained, closed.tally) == (0, 4, ())


def test_a_sealed_ballot_is_never_rewritten_because_its_commitment_would_break():
    sealed = ballot("ann", "mauve", nonce="n")
    said, closed = given(opened()).when(close_round, [sealed]).events()
    assert said == sealed
    assert (closed.cast, closed.tally) == (0, ())


def test_agreement_is_written_with_nine_decimals():
    said = ballots(ann="yes", bob="yes", cem="no")
    assert given(opened("ann", "bob", "cem")).when(close_round, said).events()[-1].agreement == 0.666666667


def after_round_one(*voters, **policy):
    sitting = Sitting.of(*(voters or ("ann", "bob", "cem")), threshold=1.0, max_rounds=5, **policy)
    sitting.round(ann="yes", bob="no")
    return sitting


def test_a_changed_ballot_is_marked_and_a_repeated_or_a_first_one_is_not():
    sitting = after_round_one()
    sitting.round(ann="yes", bob="yes", cem="no")
    marks = {c.ballot.voter: c.ballot.changed for c in sitting.state.ballots_of(2)}
    assert marks == {"ann": False, "bob": True, "cem": False}
    sitting.round(ann=None, bob="yes", cem="yes")
    marks = {c.ballot.voter: c.ballot.changed for c in sitting.state.ballots_of(3)}
    assert marks == {"ann": True, "bob": False, "cem": True}


def test_a_changed_mark_is_the_record_s_and_not_the_voter_s():
    state = after_round_one().state
    said = [ballot("ann", "yes", 2, changed=True), ballot("bob", "yes", 2, changed=False)]
    assert [b.changed for b in close_round(state, said)[:2]] == [False, True]


def test_a_choice_of_last_round_that_left_becomes_a_marked_abstention():
    sitting = Sitting.of("ann", "bob", "cem", options=("red", "green", "blue"), threshold=1.0, floor=0.4)
    for voter, choice in (("ann", "red"), ("bob", "red"), ("cem", "green")):
        sitting.cast(voter, choice)
    sitting.close()
    assert sitting.state.options == ("red", "green")
    (said, _) = close_round(sitting.state, [ballot("cem", "blue", 2)])
    assert (said.choice, said.changed) == (None, True)


def test_a_panel_that_moves_no_more_is_stable():
    sitting = after_round_one()
    closed = sitting.round(ann="yes", bob="no")
    assert closed.stop == "stable"
    assert closed.reason.endswith("no ballot changed in round 2")


def test_a_first_ballot_in_a_later_round_keeps_the_panel_talking():
    sitting = after_round_one()
    assert sitting.round(ann="yes", bob="no", cem="no").stop == "open"
    assert sitting.round(ann="yes", bob="no", cem="no").stop == "stable"


def test_silence_changes_no_ballot():
    sitting = after_round_one()
    closed = sitting.round()
    assert (closed.stop, closed.cast) == ("stable", 0), (
        "a live ballot of the round before is not carried over"
    )


def test_rounds_end_at_the_cap_even_if_ballots_still_change():
    sitting = Sitting.of("ann", "bob", max_rounds=2)
    sitting.round(ann="yes", bob="no")
    closed = sitting.round(ann="no", bob="yes")
    assert (closed.stop, closed.reason) == ("cap", "a tie of 2 choices; round 2 was the last allowed")


def test_the_threshold_stops_before_the_cap_and_stability():
    sitting = Sitting.of("ann", "bob", max_rounds=1)
    assert sitting.round(ann="yes", bob="yes").stop == "threshold"


def test_a_last_word_stops_where_another_round_could_change_nothing():
    state = given(opened()).state
    closed = close_round(state, ballots(ann="yes", bob="no"), last_word=True)[-1]
    assert closed.stop == "stable"
    assert closed.reason == "a tie of 2 choices; no voter has a further ballot"


def test_closing_again_after_the_last_round_writes_nothing():
    sitting = Sitting.of("ann", "bob")
    sitting.round(ann="yes", bob="yes")
    given_closed = sitting.state
    assert close_round(given_closed, ballots(ann="no", bob="no")) == []


def test_a_posterior_decides_in_place_of_the_weights():
    closed = given(opened()).when(
        close_round, ballots(ann="yes", bob="yes"), posterior={"no": 0.9, "yes": 0.1}
    )
    assert closed.events()[-1].leading == ("no",)


def test_what_comes_next_follows_from_the_record():
    assert next_step(NOT_OPENED) == "ballots"
    for otherwise, step in (("mediate", "mediate"), ("person", "person"), ("unresolved", "conclude")):
        sitting = Sitting.of("ann", "bob", otherwise=otherwise)
        assert next_step(sitting.state) == "ballots"
        sitting.round(ann="yes", bob="no")
        assert next_step(sitting.state) == "ballots"
        sitting.round(ann="yes", bob="no")
        assert next_step(sitting.state) == step
        agreed = Sitting.of("ann", "bob", otherwise=otherwise)
        agreed.round(ann="yes", bob="yes")
        assert next_step(agreed.state) == "conclude"
        agreed.conclude()
        assert next_step(agreed.state) == "settled"


def test_a_way_out_this_release_does_not_know_is_never_taken_for_none():
    sitting = stuck("unresolved")
    unknown = replace(sitting.state, policy=replace(sitting.state.policy, otherwise="toss a coin"))
    with pytest.raises(AssertionError):
        next_step(unknown)


def stuck(otherwise):
    sitting = Sitting.of("ann", "bob", max_rounds=1, otherwise=otherwise)
    sitting.round(ann="yes", bob="no")
    return sitting


def test_a_mediator_s_choice_is_the_outcome():
    sitting = stuck("mediate")
    sitting.write(give_mediation(sitting.state, MediationGiven("m", "no", "the evidence", ("e",))))
    decided = sitting.conclude()
    assert (decided.consensus, decided.status, decided.authority) == ("no", "mediated", "mediator")
    assert decided.reason == "the evidence"
    assert decided.scores == (Score("ann", right=False), Score("bob", right=True))


def test_a_mediator_that_abstains_leaves_it_unresolved():
    sitting = stuck("mediate")
    given_ = MediationGiven("m", None, "I understand nothing")
    sitting.write(give_mediation(sitting.state, given_))
    assert sitting.state.mediation == given_
    decided = sitting.conclude()
    assert (decided.consensus, decided.status, decided.authority) == (None, "unresolved", "rule")
    assert decided.reason.endswith("; the mediator abstained")


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (MediationGiven("m", "mauve", "see", ("e",)), "chose what is not an option"),
        (MediationGiven("m", "yes", "see", ("e", "invented")), "cited 1 pieces that are not evidence"),
    ],
)
def test_a_mediator_whose_answer_does_not_fit_the_case_abstained(answer, why):
    (heard,) = give_mediation(stuck("mediate").state, answer)
    assert (heard.choice, heard.citations) == (None, ())
    assert why in heard.statement
    assert heard.statement.endswith("\nsee")


def test_hearing_a_mediator_twice_writes_nothing():
    sitting = stuck("mediate")
    sitting.write(give_mediation(sitting.state, MediationGiven("m", None, "s")))
    assert give_mediation(sitting.state, MediationGiven("m", "yes", "s")) == []


def test_a_person_s_ruling_is_the_outcome():
    sitting = stuck("person")
    sitting.write(rule(sitting.state, Rule("no", "I looked", "Pat")))
    assert sitting.state.ruling == PersonRuled("Pat", "no", "I looked")
    decided = sitting.conclude()
    assert (decided.consensus, decided.status, decided.authority) == ("no", "ruled_by_person", "person")


def test_a_person_who_does_not_come_leaves_it_unresolved():
    decided = stuck("person").conclude()
    assert (decided.consensus, decided.status) == (None, "unresolved")
    assert decided.reason.endswith("; no person ruled in time")


@pytest.mark.parametrize("otherwise", ["mediate", "unresolved"])
def test_a_ruling_nobody_asked_for_is_refused(otherwise):
    with pytest.raises(Refusal, match="rule: no ruling is awaited"):
        rule(stuck(otherwise).state, Rule("no", "I looked", "Pat"))


def test_a_ruling_too_early_too_late_or_beside_the_options_is_refused():
    for early in (NOT_OPENED, Sitting.of("ann", "bob", otherwise="person").state):
        with pytest.raises(Refusal, match="rule: no ruling is awaited"):
            rule(early, Rule("no", "I looked", "Pat"))
    sitting = stuck("person")
    with pytest.raises(Refusal, match="choice: 'mauve' is not an option of the proposal"):
        rule(sitting.state, Rule("mauve", "I looked", "Pat"))
    sitting.write(rule(sitting.state, Rule("no", "I looked", "Pat")))
    with pytest.raises(Refusal, match="rule: no ruling is awaited"):
        rule(sitting.state, Rule("yes", "I looked again", "Pat"))


def test_a_person_may_choose_an_option_that_left():
    sitting = Sitting.of(
        "ann", "bob", "cem", options=("red", "green", "blue"), max_rounds=2, otherwise="person"
    )
    sitting.round(ann="red", bob="green")
    sitting.round(ann="red", bob="green")
    assert "blue" not in sitting.state.options
    assert rule(sitting.state, Rule("blue", "I looked", "Pat"))


def test_the_outcome_names_all_it_rests_on():
    sitting = Sitting.of("ann", "bob", "cem", "dee", threshold=0.6)
    sitting.cast("ann", "yes", 0.8)
    sitting.cast("bob", "no", 0.6)
    sitting.cast("dee", None)
    sitting.close()
    sitting.round(ann="yes", bob="yes", cem="yes")
    at = AT + timedelta(seconds=90)
    state = sitting.state
    (decided,) = conclude(state, at, {"yes": 0.9})
    assert decided == Decided(
        consensus="yes",
        status="consensus",
        authority="consensus",
        reason="the leading choice has 1.0000, the threshold 0.6 is reached",
        leading=("yes",),
        agreement=1.0,
        rounds_required=2,
        participating_nodes=("ann", "bob", "cem"),
        time_to_consensus=90.0,
        policy=state.policy,
        ballots=tuple(counted.event_id for counted in state.ballots_of(2)),
        majority=("no", "yes"),
        posterior={"yes": 0.9},
        scores=(Score("ann", right=True, confidence=0.8), Score("bob", right=False, confidence=0.6)),
    )
    assert conclude(state, at)[0].posterior is None


def test_there_is_no_outcome_while_a_round_is_open():
    for sitting in (NOT_OPENED, Sitting.of("ann", "bob").state):
        with pytest.raises(Refusal, match=r"round: round \d is still open"):
            conclude(sitting, AT)
    between = Sitting.of("ann", "bob")
    between.round(ann="yes", bob="no")
    with pytest.raises(Refusal, match="round: round 2 is still open"):
        conclude(between.state, AT)


@examples(20)
@forall(settled() | live())
def test_a_settled_deliberation_takes_no_command_again(log):
    state = refold(log)
    assert conclude(state, AT) == []
    assert close_round(state, ballots(ann="yes")) == []
    with pytest.raises(Refusal):
        rule(state, Rule("red", "I looked", "Pat"))
    with pytest.raises(RoundIsClosed):
        seal_ballot(state, CastBallot("ann", "red"), (), "n")


@examples(50)
@forall(settled() | live())
def test_no_outcome_is_a_null_that_looks_like_a_decision(log):
    decided = log[-1].data
    stopped = [event.data.stop for event in log if isinstance(event.data, RoundClosed)]
    assert (decided.consensus is None) == (decided.status == "unresolved") == (decided.authority == "rule")
    assert (decided.status == "consensus") == (stopped[-1] == "threshold")
    assert stopped[:-1] == ["open"] * (len(stopped) - 1)
    assert stopped[-1] != "open"
    assert decided.reason
    if decided.status == "consensus":
        assert decided.leading == (decided.consensus,)
        assert decided.agreement >= decided.policy.threshold - 1e-9


@examples(30)
@forall(live())
def test_nothing_on_the_record_shows_a_choice_before_its_round_is_closed(log):
    sealed = [event for event in log if isinstance(event.data, BallotSealed)]
    text = json.dumps([asdict(event.data) for event in sealed])
    assert not any(shown in text for shown in ("red", "green", "blue", "null", "because"))
    order = [(event.data.round, STAGES.index(type(event.data))) for event in log[1:-1]]
    assert order == sorted(order), "a round's seals come first, then its ballots, then its count"


def test_two_like_ballots_do_not_look_alike_under_seal():
    sitting = Sitting.of("ann", "bob")
    first, second = sitting.cast("ann", "yes")[0].data, sitting.cast("bob", "yes")[0].data
    assert first.commitment != second.commitment
    same_words = [seal_ballot(given(opened()).state, YES, (), nonce)[0][0] for nonce in ("n", "m")]
    assert same_words[0].commitment != same_words[1].commitment


def test_first_ballots_are_scored_against_the_ruling():
    first = [
        ballot("ann", "yes", confidence=0.9),
        ballot("bob", "no", confidence=0.6),
        ballot("cem", None, confidence=0.5),
    ]
    right, wrong = Score("ann", right=True, confidence=0.9), Score("bob", right=False, confidence=0.6)
    assert scores(first, "yes") == (right, wrong)
    assert scores(first, None) == ()


def test_an_equivocator_is_scored_wrong_even_where_nothing_was_ruled():
    first = [ballot("ann", "yes"), ballot("ann", "no", confidence=1.0), ballot("bob", "yes")]
    caught = Score("ann", right=False, equivocated=True)
    assert scores(first, None) == (caught,)
    assert scores(first, "no") == (caught, Score("bob", right=False))


def test_an_equivocator_of_a_later_round_is_scored_wrong_too():
    sitting = Sitting.of("ann", "bob", "cem")
    sitting.round(ann="yes", bob="no", cem="no")
    sitting.cast("cem", "yes")
    sitting.round(ann="no", bob="no", cem="no")
    decided = sitting.conclude()
    assert sitting.state.last_round.equivocators == ("cem",)
    assert decided.consensus == "no"
    caught = Score("cem", right=False, equivocated=True)
    assert decided.scores == (caught, Score("ann", right=False), Score("bob", right=True))
