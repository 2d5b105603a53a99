"""Decided again from the log: honest records agree, a doctored one is named, other policies differ."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from audit.replay import replay_all
from audit.whatif import whatif_all
from domain.artifact import ArtifactRef
from domain.consensus.ballot_table import parse
from domain.consensus.commands import OpenDeliberation, RecordedBallot, Voter
from domain.consensus.decide import open_deliberation
from domain.consensus.docket import Docket, decide_item
from domain.consensus.docket_estimate import estimate_docket
from domain.consensus.events import (
    BallotCast,
    Decided,
    DocketClosed,
    DocketEstimated,
    DocketOpened,
    Opened,
    SliceDecided,
)
from domain.consensus.policy import Policy
from domain.consensus.recorded import hold_rounds
from domain.consensus.state import NOT_OPENED, fold_all
from domain.stream import Draft, item_stream

AT = datetime(2026, 1, 1, tzinfo=UTC)
TABLE = parse(
    (Path(__file__).parents[3] / "examples" / "anaesthetists" / "ballots.csv").read_bytes(), kind="csv"
)
REF = ArtifactRef("table", "0" * 64, 1)


def decided(weighting="posterior", docket="d", at=AT):
    """The streams of a whole docket over the anaesthetists' table, the docket's own last."""
    policy = Policy(weighting=weighting)
    estimate = estimate_docket(TABLE, policy, {})
    shared = Docket(docket, "Which class?", "anaesthesia", policy, TABLE)
    streams = []
    for index in range(len(TABLE.items)):
        draft = Draft(item_stream(docket, index), "test", f"docket/{docket}", "run")
        streams.append(decide_item(shared, index, estimate.of(index), draft, at)[0])
    statuses = dict(Counter(stream[-1].data.status for stream in streams))
    own = Draft(f"docket/{docket}", "test", f"docket/{docket}", "run").events(
        [
            DocketOpened(docket, "Which class?", "anaesthesia", REF, 45, 5, TABLE.choices, policy),
            *estimated(estimate),
            SliceDecided(0, 45, sum(map(len, streams)), statuses),
            DocketClosed(45, statuses, REF),
        ],
        at,
    )
    return [*streams, own]


def estimated(estimate):
    if (model := estimate.model) is None:
        return []
    marginals = dict(zip(TABLE.choices, model.marginals.tolist(), strict=True))
    return [
        DocketEstimated(model.method, model.log_likelihood, marginals, model.iterations, model.converged, REF)
    ]


async def given(streams):
    for stream in streams:
        yield stream


def doctored(stream, kind, **fields):
    at = next(index for index, event in enumerate(stream) if isinstance(event.data, kind))
    return [*stream[:at], replace(stream[at], data=replace(stream[at].data, **fields)), *stream[at + 1 :]]


@pytest.mark.parametrize(
    ("weighting", "models"), [("equal", 0), ("reputation", 0), ("posterior", 1), ("calibrated", 1)]
)
async def test_an_honest_docket_is_computed_again_without_divergence(weighting, models):
    found = await replay_all(given(decided(weighting)))
    assert (found.decisions, found.dockets, found.models, found.divergent) == (45, 1, models, [])


async def test_an_outcome_that_its_ballots_do_not_compel_is_named():
    streams = decided("equal")
    streams[4] = doctored(streams[4], Decided, consensus="1")
    (divergent,) = (await replay_all(given(streams))).divergent
    assert (divergent.stream, divergent.event_id) == ("consensus/d.4", streams[4][-1].id)
    assert "consensus: recorded '1'" in divergent.problem


async def test_a_posterior_that_the_labels_do_not_give_is_named_though_its_stream_is_consistent():
    policy = Policy(weighting="posterior")
    shared = Docket("d", "Which class?", "anaesthesia", policy, TABLE)
    streams = decided()
    invented = replace(estimate_docket(TABLE, policy, {}).of(1), posterior={"1": 1.0})
    draft = Draft(item_stream("d", 1), "test", "docket/d", "run")
    streams[1] = decide_item(shared, 1, invented, draft, AT)[0]
    (divergent,) = (await replay_all(given(streams))).divergent
    assert divergent.stream == "consensus/d.1"
    assert divergent.problem.startswith("posterior: differs by 1.0")


@pytest.mark.parametrize(
    ("kind", "fields", "problem"),
    [
        (DocketEstimated, {"log_likelihood": -192.0}, "log_likelihood: recorded -192.0, but the labels give"),
        (DocketEstimated, {"marginals": {"1": 0.5, "2": 0.5}}, "marginals: differ by 0.11"),
        (SliceDecided, {"events": 7}, "recorded (7, {'consensus': 45}), but its items come to (360, "),
        (SliceDecided, {"statuses": {"unresolved": 45}}, "recorded (360, {'unresolved': 45}), but its items"),
        (SliceDecided, {"first": -(2**40), "statuses": {}}, "recorded (360, {}), but its items come to"),
        (DocketClosed, {"statuses": {"consensus": 44}}, "recorded {'consensus': 44}, but its items come to"),
    ],
)
async def test_what_a_docket_says_of_its_items_has_to_be_what_they_say(kind, fields, problem):
    streams = decided()
    streams[-1] = doctored(streams[-1], kind, **fields)
    found = await replay_all(given(streams))
    assert kind.TYPE in {divergent.type for divergent in found.divergent}
    assert problem in " ".join(divergent.problem for divergent in found.divergent)


async def test_a_stream_that_only_claims_to_be_an_item_is_no_part_of_the_docket():
    streams = decided()
    for name in ("consensus/x", "consensus/d.x", "consensus/d.007", "consensus/e.1"):
        forged = [replace(event, stream=name) for event in doctored(streams[1], Opened, item="other")]
        streams.append(forged)
    found = await replay_all(given(streams))
    assert (found.decisions, found.models, found.divergent) == (49, 1, [])


async def test_a_stream_without_an_outcome_is_counted_as_that():
    found = await replay_all(given([decided("equal")[0][:-1]]))
    assert (found.decisions, found.undecided) == (0, 1)


async def test_a_decision_that_diverges_is_not_taken_again_and_stops_no_other():
    streams = decided("equal")
    streams[4] = doctored(streams[4], Decided, consensus="1")
    found = await whatif_all(given(streams), {"threshold": 0.9})
    assert (len(found.decisions), found.divergent) == (44, ["consensus/d.4"])


async def test_a_docket_that_is_still_being_decided_has_no_model_to_compare_yet():
    streams = decided()
    found = await replay_all(given([*streams[:20], streams[-1]]))
    assert (found.models, found.divergent) == (0, [])


async def test_a_docket_closed_before_its_items_were_decided_is_named():
    streams = decided("equal")
    streams[-1] = [streams[-1][0], streams[-1][2]]
    (divergent,) = (await replay_all(given(streams))).divergent
    assert "before every item" in divergent.problem


async def test_the_same_policy_changes_nothing_and_a_stricter_one_does():
    for weighting in ("equal", "reputation", "posterior", "calibrated"):
        assert (await whatif_all(given(decided(weighting)), {"threshold": 0.75})).differing == []
    stricter = await whatif_all(given(decided("equal")), {"threshold": 1.0})
    assert stricter.differing
    assert all(one.retaken_status == "unresolved" for one in stricter.differing)


async def test_the_model_overrules_where_equal_votes_could_not_decide():
    found = await whatif_all(given(decided("equal")), {"weighting": "posterior"})
    assert len(found.decisions) == 45
    overruled = {one.id: (one.recorded, one.retaken) for one in found.differing}
    assert overruled["d.1"] == (None, "4")
    assert overruled["d.35"] == (None, "4")


async def test_single_deliberations_are_left_out_of_what_a_model_would_say():
    found = await whatif_all(given([single("q", AT, {"a": "yes"})]), {"weighting": "posterior"})
    assert (found.left_out, found.decisions) == (1, [])


def single(name, at, choices):
    voters = tuple(Voter(voter, ballots=(RecordedBallot(choice),)) for voter, choice in choices.items())
    command = OpenDeliberation(name, "?", ("yes", "no"), voters)
    draft = Draft(f"consensus/{name}", "test", f"consensus/{name}", "run")
    opening = draft.events(open_deliberation(command), at)
    return opening + hold_rounds(fold_all(NOT_OPENED, opening), voters, draft, at)[0]


async def test_reputations_are_those_of_the_rulings_before_the_opening():
    """`a` was right twelve times before, `b` and `c` wrong; then `a` stands alone against them."""
    before = [
        single(f"b{n}", AT + timedelta(hours=n), {"a": "yes", "d": "yes", "e": "yes", "f": "yes", "b": "no"})
        for n in range(12)
    ]
    last = single("last", AT + timedelta(days=1), {"a": "yes", "b": "no"})
    early = single("early", AT - timedelta(days=1), {"a": "yes", "b": "no"})
    found = await whatif_all(given([last, early, *before]), {"weighting": "reputation"})
    turned = {one.id: one.retaken for one in found.differing}
    assert turned == {"last": "yes"}


async def test_ballots_are_what_both_read():
    streams = decided("equal")
    streams[4] = doctored(streams[4], BallotCast, choice="1")
    assert (await replay_all(given(streams))).divergent
