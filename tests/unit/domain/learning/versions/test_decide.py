"""Given a model's events, when something is asked, then these events; asked again, none."""

import pytest

from domain.event import Event
from domain.learning.trainer import Evaluation
from domain.learning.versions import decide
from domain.learning.versions import events as e
from domain.learning.versions.commands import (
    DriftFound,
    JudgeCanary,
    Observe,
    PromoteVersion,
    PublishVersion,
    RollBack,
    SetDriftPolicy,
)
from domain.learning.versions.events import Unheard
from domain.learning.versions.policy import MAX_VERSIONS, DriftPolicy, HostEvaluation
from domain.learning.versions.state import NO_MODEL, fold, version_for
from domain.refusal import ImpossibleEvent, Refusal
from tests.unit.domain.learning.versions.story import AT, STREAM, Story, found, publication, three


def canaried(share=0.5):
    story = Story()
    story.publish("c1")
    assert story.publish("c2", "v1.0", canary=share) == ["version_published", "canary_started"]
    return story


def test_without_a_canary_a_version_serves_at_once():
    story = Story()
    assert story.publish("c1") == ["version_published", "promoted"]
    assert (story.state.active, story.state.standing["v1.0"].authority) == ("v1.0", "policy")


def test_the_first_version_has_no_canary_since_there_is_nothing_to_hold_it_against():
    story = Story()
    assert story.publish("c1", canary=0.5) == ["version_published", "promoted"]
    assert story.state.standing["v1.0"].reason == "there is no version to hold it against"


def test_names_follow_the_parent_and_a_fresh_model_begins_the_next_major():
    story = three()
    story.publish("c4", "v1.0")
    story.publish("c5")
    story.publish("c6", "v2.0")
    assert [one.version for one in story.state.versions] == ["v1.0", "v1.1", "v1.2", "v1.3", "v2.0", "v2.1"]


def test_publishing_a_cycle_again_writes_nothing_and_another_model_of_it_is_refused():
    story = three()
    assert story.publish("c2", "v1.0") == []
    with pytest.raises(Refusal, match=r"^cycle: c2 was published as v1\.1, with another model"):
        story.publish("c2", "v1.0", digest="other")


def test_an_unknown_parent_is_refused_with_the_newest_versions():
    with pytest.raises(Refusal, match=r"^parent: digits has no v3\.1; the newest are v1\.0, v1\.1, v1\.2$"):
        three().publish("c4", "v3.1")
    with pytest.raises(Refusal, match=r"^parent: the model has no v1\.0; the newest are none yet$"):
        Story().publish("c1", "v1.0")


def test_a_model_with_too_many_versions_takes_no_more(monkeypatch):
    monkeypatch.setattr(decide, "MAX_VERSIONS", 3)
    assert MAX_VERSIONS == 1_000
    with pytest.raises(Refusal, match="takes no more; publish under another name"):
        three().publish("c4", "v1.0")


def test_a_good_canary_is_promoted_by_the_policy():
    story = canaried()
    assert story.judge("v1.1", found(1.04)) == ["canary_evaluated", "promoted"]
    assert (story.state.active, story.status("v1.0"), story.state.former) == ("v1.1", "retired", ("v1.0",))


def test_a_bad_canary_is_rolled_back_by_the_policy_and_says_by_how_much():
    story = canaried()
    assert story.judge("v1.1", found(1.06)) == ["canary_evaluated", "rolled_back"]
    assert (story.state.active, story.status("v1.1"), story.state.canary) == ("v1.0", "rolled_back", None)
    standing = story.state.standing["v1.1"]
    assert standing.authority == "policy"
    assert standing.reason.startswith("loss 1.06 against 1 of v1.0, on 1 host: above it by more than 0.05")


def test_hosts_count_by_their_rows():
    story = canaried()
    assert story.judge("v1.1", found(2.0, host="h1", samples=1), found(1.0, host="h2", samples=99))[1:] == [
        "promoted"
    ]


def test_judging_again_writes_nothing_and_what_is_no_canary_is_refused():
    story = canaried()
    story.judge("v1.1", found(1.06))
    assert story.judge("v1.1", found(1.06)) == []
    with pytest.raises(Refusal, match=r"^version: v1\.1 is no canary; it is rolled back$"):
        story.judge("v1.1", found(0.5))
    with pytest.raises(Refusal, match=r"^version: digits has no v1\.9"):
        story.judge("v1.9", found(0.5))


def test_a_canary_that_nobody_could_evaluate_goes_on():
    story = canaried()
    unheard = (Unheard("h1", "did not answer"),)
    assert story.judge("v1.1", unheard=unheard) == ["canary_evaluated"]
    assert story.judge("v1.1", unheard=unheard) == []
    assert (story.state.canary.version, story.state.evaluated.unheard) == ("v1.1", unheard)
    assert story.judge("v1.1", found(0.5))[-1] == "promoted"


def test_a_version_that_comes_before_the_canary_was_judged_takes_it_back():
    story = canaried()
    told = story.publish("c3", "v1.0", canary=0.2)
    assert told == ["version_published", "rolled_back", "canary_started"]
    assert story.state.standing["v1.1"].reason == "v1.2 came before it was judged"


def promote(story, version):
    return story.take(decide.promote, PromoteVersion(version, "better in the field", "ann"))


def test_a_person_promotes_the_canary():
    story = canaried()
    assert promote(story, "v1.1") == ["promoted"]
    assert promote(story, "v1.1") == []
    assert (story.state.active, story.state.standing["v1.1"].by) == ("v1.1", "ann")


def test_a_person_who_promotes_another_version_takes_the_canary_back():
    story = canaried()
    story.publish("c3")
    story.publish("c4", "v1.0", canary=0.5)
    assert story.state.active == "v2.0"
    assert promote(story, "v1.0") == ["rolled_back", "promoted"]
    assert (story.state.standing["v1.2"].authority, story.state.former) == ("person", ("v2.0",))
    with pytest.raises(Refusal, match="has no v7"):
        promote(story, "v7.0")


def test_rolling_back_goes_to_the_version_before():
    story = three()
    assert story.back() == ["rolled_back"]
    assert (story.state.active, story.state.former, story.status("v1.2")) == (
        "v1.1",
        ("v1.0",),
        "rolled_back",
    )
    assert story.status("v1.1") == "promoted"


def test_the_same_words_are_the_same_request_and_other_words_go_one_further_back():
    story = three()
    story.back()
    assert story.back() == []
    assert story.back(reason="that one, too") == ["rolled_back"]
    assert story.state.active == "v1.0"
    with pytest.raises(Refusal, match=r"^to: v1\.0 is the first that served, so there is nothing to go back"):
        story.back(reason="once more")


def test_rolling_back_to_a_named_version_is_idempotent_by_its_name():
    story = three()
    assert story.back("v1.0") == ["rolled_back"]
    assert story.back("v1.0") == []
    assert (story.state.active, story.state.former) == ("v1.0", ())
    with pytest.raises(Refusal, match=r"^to: v1\.2 has not served before v1\.0; promote it instead$"):
        story.back("v1.2")
    with pytest.raises(Refusal, match=r"^to: digits has no v4\.4"):
        story.back("v4.4")


def test_rolling_back_takes_back_a_canary_first():
    story = canaried()
    assert story.back() == ["rolled_back"]
    assert (story.state.active, story.state.canary) == ("v1.0", None)
    assert story.back() == []


def test_rolling_back_to_the_version_that_serves_takes_back_the_canary_alone():
    story = canaried()
    assert story.back("v1.0") == ["rolled_back"]
    assert (story.state.active, story.status("v1.1")) == ("v1.0", "rolled_back")


def test_rolling_back_beyond_takes_back_the_canary_and_what_serves():
    story = three()
    story.publish("c4", "v1.2", canary=0.5)
    assert story.back("v1.0") == ["rolled_back", "rolled_back"]
    assert (story.state.active, story.status("v1.3"), story.status("v1.2")) == (
        "v1.0",
        "rolled_back",
        "rolled_back",
    )


def test_a_model_without_versions_has_nothing_to_roll_back():
    with pytest.raises(Refusal, match=r"^to: no version serves, so there is nothing to go back to$"):
        Story().back()


def test_observed_losses_are_the_newest_of_the_version_that_serves(monkeypatch):
    monkeypatch.setattr("domain.learning.versions.state.WINDOW", 3)
    story = three()
    assert story.observe("o1", 0.1, 0.2) == ["observed"]
    assert story.observe("o1", 0.1, 0.2) == []
    story.observe("o2", 0.3, 0.4, version="v1.2")
    assert story.state.window == (0.2, 0.3, 0.4)
    story.back()
    assert story.state.window == ()


def test_losses_of_another_version_or_of_none_are_refused():
    with pytest.raises(Refusal, match=r"^version: v1\.0 does not serve, v1\.2 does"):
        three().observe("o1", 0.1, version="v1.0")
    with pytest.raises(Refusal, match="has no v9"):
        three().observe("o1", 0.1, version="v9.0")
    with pytest.raises(Refusal, match=r"^model: has no version that serves; a cycle publishes one$"):
        Story().observe("o1", 0.1)


def drifting(policy, story=None):
    story = story or three()
    story.take(decide.set_drift_policy, SetDriftPolicy(policy, "we agreed", "ann"))
    story.observe("o1", 0.1, 0.1, 0.9)
    return story


def drift(story, before=0.1, after=0.9, newest=1):
    return story.take(decide.record_drift, DriftFound(before, after, newest))


def test_a_drift_is_said_once_and_leaves_the_losses_after_it():
    story = drifting(DriftPolicy())
    assert drift(story) == ["drift_detected"]
    assert (story.state.window, story.state.drifts, story.state.active) == ((0.9,), 1, "v1.2")
    assert drift(story) == []


def test_a_drift_that_the_newest_loss_showed_leaves_no_losses():
    story = drifting(DriftPolicy())
    assert drift(story, newest=0) == ["drift_detected"]
    assert story.state.window == ()


def test_a_falling_loss_is_no_drift():
    assert drift(drifting(DriftPolicy()), before=0.9, after=0.1) == []


def test_a_drift_rolls_back_where_the_policy_says_so():
    story = drifting(DriftPolicy("roll_back"))
    assert drift(story) == ["drift_detected", "rolled_back"]
    assert story.state.active == "v1.1"
    assert story.state.standing["v1.2"].reason == "drift: the observed loss rose from 0.1 to 0.9"


def test_a_drift_of_the_first_version_that_served_can_only_be_said():
    first = Story()
    first.publish("c1")
    story = drifting(DriftPolicy("roll_back"), first)
    (said,) = decide.record_drift(story.state, DriftFound(0.1, 0.9, 1))
    assert (said.then, said.reason) == (
        "say",
        "v1.0 is the first that served: there is nothing to go back to",
    )


def test_a_drift_policy_that_stands_is_not_written_again():
    assert drifting(DriftPolicy("cycle")).state.policy == DriftPolicy("cycle")
    asked = SetDriftPolicy(DriftPolicy("cycle"), "again", "bob")
    assert decide.set_drift_policy(drifting(DriftPolicy("cycle")).state, asked) == []


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (e.CanaryStarted("v1.1", "v1.0", 0.5, 0.1, 1), r"v1\.0 does not serve"),
        (e.CanaryStarted("v8.1", "v1.2", 0.5, 0.1, 1), r"v8\.1 is not there"),
        (e.CanaryEvaluated("v1.1", ()), r"v1\.1 is no canary"),
        (e.Promoted("v1.2", "v1.2", "policy", "", ""), r"v1\.2 serves already"),
        (e.Promoted("v1.1", "v1.0", "policy", "", ""), r"v1\.0 does not serve"),
        (e.Promoted("v8.1", "v1.2", "policy", "", ""), r"v8\.1 is not there"),
        (e.RolledBack("v1.0", "v1.1", "policy", "", ""), r"v1\.0 neither serves nor is a canary"),
        (e.RolledBack("v1.2", "v9.1", "policy", "", ""), r"v9\.1 has not served before"),
        (e.Observed("o", "v1.0", (0.1,)), r"v1\.0 does not serve"),
        (e.DriftDetected("v1.0", 0.1, 0.2, 1, 0.1, "say"), r"v1\.0 does not serve"),
        (e.DriftDetected("v1.2", 0.1, 0.2, 1, 0.1, "say"), "1 losses are not the newest part"),
    ],
)
def test_what_could_not_have_happened_is_not_folded(data, why):
    state = three().state
    with pytest.raises(ImpossibleEvent, match=why):
        fold(state, Event("id", STREAM, state.events + 1, AT, data, "test"))


def test_events_of_others_and_gaps_are_not_folded():
    state = three().state
    with pytest.raises(ImpossibleEvent, match="is at version 6, so 9 is not the next"):
        fold(state, Event("id", STREAM, 9, AT, e.Observed("o", "v1.2", (0.1,)), "test"))

    class Foreign:
        TYPE = "other.happened.v1"

    with pytest.raises(ImpossibleEvent, match="is no event of a model"):
        fold(NO_MODEL, Event("id", STREAM, 1, AT, Foreign(), "test"))


def test_a_canary_of_half_the_nodes_is_drawn_alike_by_all_and_ends_with_the_canary():
    story = canaried()
    nodes = [f"n{n}" for n in range(400)]
    serving = [version_for(story.state, node) for node in nodes]
    assert serving == [version_for(story.state, node) for node in nodes]
    assert 160 < serving.count("v1.1") < 240
    story.judge("v1.1", found(9.0))
    assert {version_for(story.state, node) for node in nodes} == {"v1.0"}
    assert version_for(NO_MODEL, "n1") is None


@pytest.mark.parametrize(
    ("made", "line"),
    [
        (lambda: publication(canary=2.0), "canary: 2 is outside 0 to 1"),
        (lambda: publication(parent="1.0"), "parent: '1.0' is no version"),
        (lambda: JudgeCanary("v1.0", ()), "results and unheard hosts: 0 is outside 1 to 500"),
        (lambda: JudgeCanary("v1.0", (found(1.0), found(2.0))), "results: name a host twice"),
        (
            lambda: HostEvaluation("h", Evaluation(float("nan"), None, 1), Evaluation(1, None, 1)),
            "canary.loss: nan",
        ),
        (
            lambda: HostEvaluation("h", Evaluation(1, None, 0), Evaluation(1, None, 1)),
            "canary.samples: 0 is outside",
        ),
        (lambda: PromoteVersion("v1.0", " ", "ann"), "reason: is empty; it goes on the record"),
        (lambda: RollBack("r", "p" * 3000), "person (characters): 3000 is outside"),
        (lambda: RollBack("r", "p", "newest"), "to: 'newest' is no version; they are called v1.0, v1.1"),
        (lambda: Observe("o", ()), "losses (how many): 0 is outside 1 to 1000"),
        (lambda: Observe("o", (float("inf"),)), "losses: inf is outside"),
        (lambda: DriftPolicy(delta=0), "delta: 0 is outside above 0 to 1"),
        (lambda: DriftPolicy(cycle=publication()), "cycle: is given, but then is say"),
        (lambda: SetDriftPolicy(DriftPolicy(), "", "ann"), "reason: is empty"),
    ],
)
def test_what_a_command_cannot_mean_is_refused_by_its_field(made, line):
    with pytest.raises(Refusal) as refused:
        made()
    assert str(refused.value).startswith(line)


def test_a_publication_takes_only_the_fields_that_it_knows():
    with pytest.raises(TypeError):
        PublishVersion(cycle="c1", colour="red")
