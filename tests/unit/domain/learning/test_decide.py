"""A cycle's decisions: given what happened, when one is taken, then these events; repeating it, none."""

import hashlib
from dataclasses import replace

import pytest

from domain.learning import decide
from domain.learning.events import (
    CycleClosed,
    CycleFailed,
    CycleWithdrawn,
    RoundAbandoned,
    RoundAggregated,
    RoundOpened,
    UpdatesCollected,
)
from domain.learning.state import NO_CYCLE
from domain.refusal import ImpossibleEvent, Refusal
from tests.unit.domain.learning.cycles import (
    DRAWN,
    MEMBERS,
    OPENING,
    REQUEST,
    Cycle,
    lost,
    new_model,
    ref,
    report,
)


def done():
    cycle = Cycle().opened().heard(report("a"), report("b")).aggregated()
    return cycle.round().heard(report("b"), report("c")).aggregated()


def test_a_cycle_is_opened_once():
    cycle = Cycle()
    assert cycle.when(decide.open_cycle(cycle.state, OPENING)) == [OPENING]
    assert decide.open_cycle(cycle.state, OPENING) == []


def test_another_request_under_the_same_id_is_refused():
    cycle = Cycle().opened()
    other = replace(OPENING, request=replace(REQUEST, seed=1))
    with pytest.raises(Refusal, match="c began with another request; choose another id"):
        decide.open_cycle(cycle.state, other)


def test_a_round_asks_its_cohort_once_in_the_order_of_ids():
    cycle = Cycle()
    cycle.when(decide.open_cycle(cycle.state, OPENING))
    (opened,) = cycle.when(decide.open_round(cycle.state, replace(DRAWN, cohort=MEMBERS[::-1])))
    assert opened == RoundOpened(1, 1, ref("f"), 4, MEMBERS, ref("0"))
    assert decide.open_round(cycle.state, DRAWN) == []


def test_no_round_follows_the_last_one():
    assert decide.open_round(done().state, DRAWN) == []


def test_no_round_follows_the_end():
    cycle = Cycle().opened()
    cycle.when(decide.fail(cycle.state, "since"))
    assert decide.open_round(cycle.state, DRAWN) == []


def test_what_came_in_is_recorded_in_the_order_of_ids_and_only_once():
    cycle = Cycle().opened()
    told = decide.collect(cycle.state, 1, 1, [report("c"), report("a")], [lost("b")])
    assert cycle.when(told) == [UpdatesCollected(1, 1, (report("a"), report("c")), (lost("b"),))]
    assert decide.collect(cycle.state, 1, 1, [report("c"), report("a")], [lost("b")]) == []
    assert decide.collect(cycle.state, 1, 1, [report("d")], [lost("b")]) == [
        UpdatesCollected(1, 1, (report("d"),))
    ]


def test_an_event_holds_at_most_a_hundred_reports():
    members = tuple(replace(MEMBERS[0], client=f"c{n:03}") for n in range(250))
    cycle = Cycle().opened(drawn=replace(DRAWN, eligible=250, cohort=members))
    parts = cycle.when(decide.collect(cycle.state, 1, 1, [report(one.client) for one in members], []))
    assert [len(part.reports) for part in parts] == [100, 100, 50]


def test_what_comes_in_for_another_attempt_is_impossible():
    with pytest.raises(ImpossibleEvent, match="round 1, attempt 2 is not open"):
        decide.collect(Cycle().opened().state, 1, 2, [report("a")], [])


@pytest.mark.parametrize(("came", "short"), [(1, "1 of 2 reports came in"), (2, None)])
def test_a_round_needs_its_minimum_of_reports(came, short):
    assert decide.shortage(Cycle().opened().state, came) == short


def test_an_abandoned_round_is_tried_again_and_the_last_time_ends_the_cycle():
    cycle = Cycle().opened().heard(report("a"))
    assert cycle.when(decide.abandon(cycle.state, 1, 1, "too few")) == [RoundAbandoned(1, 1, 1, 2, "too few")]
    assert decide.abandon(cycle.state, 1, 1, "too few") == []
    (again,) = decide.open_round(cycle.state, DRAWN)
    assert (again.round, again.attempt, again.model) == (1, 2, ref("0"))
    cycle.round()
    assert cycle.when(decide.abandon(cycle.state, 1, 2, "too few")) == [
        RoundAbandoned(1, 2, 0, 2, "too few"),
        CycleFailed(1, "round 1 was abandoned 2 times, at last since too few"),
    ]
    assert decide.abandon(cycle.state, 1, 2, "too few") == []
    assert cycle.state.ended


def test_abandoning_an_attempt_that_is_not_open_is_nothing():
    assert decide.abandon(Cycle().opened().state, 1, 2, "x") == []


def test_updates_become_a_model_once():
    cycle = Cycle().opened().heard(report("a"), report("b"), report("c"), lost("d"))
    (event,) = cycle.when(decide.aggregated(cycle.state, 1, 1, new_model(excluded=("c",))))
    digests = f"{'a' * 64}\n{'b' * 64}\n"
    assert isinstance(event, RoundAggregated)
    assert event.entered == hashlib.sha256(digests.encode()).hexdigest()
    assert (event.clients, event.excluded, event.rule) == (2, ("c",), "fedavg")
    assert (event.sent_bytes, event.raw_bytes) == (300, 1200)
    assert decide.aggregated(cycle.state, 1, 1, new_model()) == []
    with pytest.raises(ImpossibleEvent, match="round 2, attempt 1 is not open"):
        decide.aggregated(cycle.state, 2, 1, new_model())


def test_a_model_that_is_the_first_of_all_needs_an_open_round():
    with pytest.raises(ImpossibleEvent, match="not open"):
        decide.aggregated(Cycle().opened().state, 1, 2, new_model())


def test_a_round_goes_on_from_the_model_before():
    cycle = Cycle().opened().heard(report("a"), report("b")).aggregated().round()
    assert cycle.state.round.model == ref("1")
    assert cycle.state.next_attempt == 1


def test_a_cycle_closes_with_its_counts_and_its_weakest_level():
    cycle = Cycle().opened().heard(report("a", "local_dp"), report("b", "secure_sum")).aggregated()
    cycle.round().heard(report("b", "local_dp"), report("c", "none"), report("d", "local_dp"))
    cycle.aggregated(new_model("2", excluded=("c",)))
    closed = cycle.when(decide.close(cycle.state, "v1.0"))
    assert closed == [CycleClosed("v1.0", "2" * 64, 3, 4, "secure_sum", 2)]
    assert decide.close(cycle.state, "v1.0") == []
    outcome = decide.outcome_of(cycle.state)
    assert (outcome.cycle, outcome.participants, outcome.insights_aggregated) == ("c", 3, 4)
    assert [one.clients for one in outcome.evolution_metrics] == [2, 2]
    assert [one.cohort for one in outcome.evolution_metrics] == [4, 4]
    assert outcome.privacy_level == "secure_sum"


def test_a_cycle_with_a_round_missing_does_not_close():
    cycle = Cycle().opened().heard(report("a"), report("b")).aggregated()
    with pytest.raises(ImpossibleEvent, match="1 are done of 2"):
        decide.close(cycle.state, "v1.0")
    with pytest.raises(ImpossibleEvent, match="not closed"):
        decide.outcome_of(cycle.state)


def test_a_cycle_fails_once_and_not_before_it_began():
    cycle = Cycle().opened()
    assert decide.fail(NO_CYCLE, "x") == []
    assert cycle.when(decide.fail(cycle.state, "y" * 600)) == [CycleFailed(1, "y" * 500)]
    assert decide.fail(cycle.state, "x") == decide.withdraw(cycle.state, "x") == []


def test_a_cycle_is_withdrawn_once_and_not_before_it_began():
    cycle = Cycle().opened().heard(report("a"), report("b")).aggregated()
    assert decide.withdraw(NO_CYCLE, "x") == []
    assert cycle.when(decide.withdraw(cycle.state, "why")) == [CycleWithdrawn("temporal", "why", 1)]
    assert decide.withdraw(cycle.state, "x") == []
