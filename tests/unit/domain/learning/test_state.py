"""What could not have happened to a cycle is never folded."""

from dataclasses import replace

import pytest

from domain.consensus.events import Withdrawn
from domain.learning import decide
from domain.learning.events import CycleFailed, CycleOpened, CycleWithdrawn, RoundOpened, UpdatesCollected
from domain.learning.policy import CohortPolicy, PrivacySpec
from domain.learning.state import NO_CYCLE, fold
from domain.learning.tensors import TensorSpec
from domain.refusal import ImpossibleEvent
from domain.stream import Draft
from tests.unit.domain.learning.cycles import (
    AT,
    DRAWN,
    MEMBERS,
    OPENING,
    REQUEST,
    STREAM,
    Cycle,
    lost,
    new_model,
    ref,
    report,
)

ROUND = RoundOpened(1, 1, ref("f"), 4, MEMBERS, ref("0"))


def refused(cycle, *events):
    with pytest.raises(ImpossibleEvent) as caught:
        cycle.when(events)
    return str(caught.value)


def ready():
    return Cycle().opened().heard(report("a"), report("b"), lost("c"))


def last_of(cycle, new=None):
    opened = cycle.state.round
    (event,) = decide.aggregated(cycle.state, opened.round, opened.attempt, new or new_model())
    return event


def test_nothing_is_known_before_the_opening():
    with pytest.raises(ImpossibleEvent, match="nothing was opened"):
        _ = NO_CYCLE.cycle
    assert "before the opening" in refused(Cycle(), ROUND)


def test_a_cycle_is_opened_no_second_time():
    assert "after the opening" in refused(Cycle().opened(), OPENING)


def test_an_event_of_another_capability_is_no_event_of_a_cycle():
    assert "no event of a learning cycle" in refused(Cycle(), Withdrawn("temporal", "", 0))


def test_a_version_that_is_not_the_next_is_refused():
    (event,) = Draft(STREAM, "test", STREAM, "run", version=1).events([OPENING], AT)
    with pytest.raises(ImpossibleEvent, match="learning/c is at version 0, so 2 is not the next"):
        fold(NO_CYCLE, event)


def test_nothing_follows_the_end():
    cycle = Cycle().opened()
    cycle.when([CycleWithdrawn("temporal", "", 0)])
    assert "after the end" in refused(cycle, CycleFailed(1, "x"))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"schema": ()}, "schema"),
        (
            {"schema": (TensorSpec("b", "context_patterns", ()), TensorSpec("a", "context_patterns", ()))},
            "sorted",
        ),
        ({"since": OPENING.until}, "ends before it begins"),
    ],
)
def test_an_opening_that_cannot_be(change, said):
    assert said in refused(Cycle(), replace(OPENING, **change))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"round": 2}, "round: 2 is recorded where 1"),
        ({"attempt": 2}, "attempt: 2 is recorded where 1"),
        ({"model": ref("9")}, "model"),
        ({"cohort": MEMBERS[::-1]}, "not sorted"),
        ({"cohort": (MEMBERS[0], MEMBERS[0])}, "a client twice"),
        ({"cohort": MEMBERS[:1]}, "1 of 4 is not what the policy allows"),
        ({"eligible": 3}, "4 of 3 is not what the policy allows"),
    ],
)
def test_a_round_that_cannot_be(change, said):
    cycle = Cycle()
    cycle.when([OPENING])
    assert said in refused(cycle, replace(ROUND, **change))


def test_a_round_while_another_is_open_cannot_be():
    assert "while 1 was open" in refused(Cycle().opened(), replace(ROUND, round=2))


def test_a_round_or_an_attempt_too_many_cannot_be():
    cycle = Cycle().opened()
    for attempt in (1, 2):
        (abandoned, *_) = decide.abandon(cycle.state, 1, attempt, "x")
        cycle.when([abandoned])
        if attempt == 1:
            cycle.round()
    assert "attempt 3 is one too many" in refused(cycle, replace(ROUND, attempt=3))


def test_lots_may_draw_fewer_than_the_minimum():
    privacy = PrivacySpec("differential_privacy", epsilon=1, sampling="secret")
    cycle = Cycle()
    cycle.when([replace(OPENING, request=replace(REQUEST, privacy=privacy))])
    cycle.when([replace(ROUND, cohort=())])
    assert cycle.state.round.cohort == ()


@pytest.mark.parametrize(
    ("event", "said"),
    [
        (UpdatesCollected(1, 2, (report("d"),)), "attempt 2 is not open"),
        (UpdatesCollected(1, 1, ()), "not none"),
        (UpdatesCollected(1, 1, tuple(report(f"x{n}") for n in range(101))), "at most 100"),
        (UpdatesCollected(1, 1, (report("d"), report("d"))), "told of twice"),
        (UpdatesCollected(1, 1, (report("d"),), (lost("d"),)), "told of twice"),
        (UpdatesCollected(1, 1, (report("a"),)), "told of twice"),
        (UpdatesCollected(1, 1, (), (lost("b"),)), "told of twice"),
        (UpdatesCollected(1, 1, (report("z"),)), "was not asked"),
    ],
)
def test_a_collection_that_cannot_be(event, said):
    assert said in refused(ready(), event)


@pytest.mark.parametrize(
    ("change", "said"),
    [({"reported": 1}, "reported"), ({"minimum": 3}, "minimum"), ({"attempt": 2}, "not open")],
)
def test_an_abandonment_that_cannot_be(change, said):
    cycle = ready()
    (event,) = decide.abandon(cycle.state, 1, 1, "x")
    assert said in refused(cycle, replace(event, **change))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"attempt": 2}, "not open"),
        ({"rule": "median"}, "rule"),
        ({"clients": 3}, "clients"),
        ({"entered": "0" * 64}, "entered"),
        ({"excluded": ("a", "a")}, "a client twice"),
        ({"excluded": ("c",)}, "did not report"),
    ],
)
def test_a_model_that_cannot_be(change, said):
    cycle = ready()
    assert said in refused(cycle, replace(last_of(cycle), **change))


def test_a_model_of_too_few_reports_cannot_be():
    cycle = Cycle().opened().heard(report("a"))
    assert "1 reports, 2 are needed" in refused(cycle, last_of(cycle))


def closed():
    cycle = ready().aggregated().round().heard(report("a"), report("d")).aggregated()
    return cycle, decide.close(cycle.state, "v1.0")[0]


@pytest.mark.parametrize(
    "change",
    [
        {"digest": "0" * 64},
        {"participants": 4},
        {"insights_aggregated": 3},
        {"privacy_level": "local_dp"},
        {"rounds": 3},
    ],
)
def test_a_closing_that_cannot_be(change):
    cycle, event = closed()
    assert next(iter(change)) in refused(cycle, replace(event, **change))


def test_a_closing_before_the_last_round_cannot_be():
    _, event = closed()
    for early in (Cycle().opened(), ready().aggregated(), ready().aggregated().round()):
        assert "before the last round" in refused(early, event)


def test_failures_and_withdrawals_say_where_the_cycle_stood():
    assert "round: 2 is recorded where 1" in refused(Cycle().opened(), CycleFailed(2, "x"))
    assert "rounds: 1 is recorded where 0" in refused(Cycle().opened(), CycleWithdrawn("temporal", "", 1))


def test_the_lineage_tells_other_updates_apart():
    one = ready().aggregated().state
    other = Cycle().opened().heard(report("a"), report("d")).aggregated().state
    assert len(one.lineage) == 64
    assert one.lineage != other.lineage


def test_a_small_share_is_held_against_what_was_eligible():
    request = replace(REQUEST, cohort=CohortPolicy(share=0.5, minimum=1))
    cycle = Cycle()
    cycle.when([replace(OPENING, request=request)])
    assert "4 of 8 is not what the policy allows" in refused(cycle, replace(ROUND, eligible=8))
    cycle.when([replace(ROUND, eligible=9)])
    assert isinstance(cycle.state.cycle, CycleOpened)
    assert DRAWN.cohort == cycle.state.round.cohort
