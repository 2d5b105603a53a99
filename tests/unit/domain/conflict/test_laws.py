"""What holds after any sequence of commands, at any times, by anyone."""

import itertools

from hypothesis import given

from domain.conflict.decide import (
    ApplyRule,
    AskMediator,
    AwaitAnnulment,
    AwaitAppeal,
    AwaitPerson,
    BeginLevel,
    Closed,
    HearAnnulment,
    HoldDeliberation,
    Settle,
    next_step,
)
from domain.conflict.events import (
    SETTLING,
    AnnulmentAsked,
    Appealed,
    CaseGrown,
    CaseOpened,
    Escalated,
    LevelBegun,
    Resolved,
    Ruled,
    Unresolved,
)
from domain.conflict.fold import fold
from domain.conflict.result import result_of
from domain.conflict.settle import settle
from domain.conflict.state import NO_CASE
from tests.unit.domain.conflict.given import refold, trials
from tests.unit.drawing import examples

MANY = examples(60)


@MANY
@given(trials())
def test_the_fold_of_the_events_is_the_state_that_was_reached(trial):
    assert refold(trial.log) == trial.state
    assert trial.state.event_ids == tuple(event.id for event in trial.log)


@MANY
@given(trials())
def test_no_resolved_case_is_without_a_resolution(trial):
    outcomes = [event.data for event in trial.log if isinstance(event.data, SETTLING)]
    assert len(outcomes) <= 1
    assert (trial.state.phase == "closed") == bool(outcomes)
    for outcome in outcomes:
        if isinstance(outcome, Resolved):
            result = result_of(trial.state)
            assert result.resolution.strip()
            assert result.level_used in (1, 2, 3, 4)
            assert result.escalations == result.level_used - trial.state.initial_level >= 0
            assert result.final_authority == (True if result.level_used == 4 else None)
        elif isinstance(outcome, Unresolved):
            assert outcome.reason.startswith("Conflict resolution failed at all levels: level ")
            assert outcome.reason.isprintable()


@MANY
@given(trials())
def test_levels_never_go_down_and_each_is_begun_once_at_most(trial):
    state, levels = NO_CASE, [0]
    for event in trial.log:
        state = fold(state, event)
        levels.append(state.level)
    assert all(before <= after for before, after in itertools.pairwise(levels))
    begun = [event.data.level for event in trial.log if isinstance(event.data, LevelBegun)]
    assert begun == sorted(set(begun))
    assert all(1 <= level <= 4 for level in levels[2:])


@MANY
@given(trials())
def test_nobody_sits_twice_and_no_party_sits(trial):
    sat, parties = [], set()
    for event in trial.log:
        match event.data:
            case CaseOpened(case=case):
                parties |= set(case.parties)
            case CaseGrown(positions=positions):
                parties |= {one.party for one in positions}
            case LevelBegun(panel=panel) | AnnulmentAsked(panel=panel):
                sat += [seat.voter for seat in panel]
                assert parties.isdisjoint(seat.voter for seat in panel)
    assert len(sat) == len(set(sat))


@MANY
@given(trials())
def test_appeals_and_annulments_are_bounded(trial):
    appeals = [event.data for event in trial.log if isinstance(event.data, Appealed)]
    annulments = [event.data for event in trial.log if isinstance(event.data, AnnulmentAsked)]
    assert len(appeals) <= 3
    assert len({one.level for one in appeals}) == len(appeals)
    for party in trial.state.opened.parties:
        assert sum(one.party == party for one in appeals) <= trial.state.policy.appeals_each
        assert sum(one.party == party for one in annulments) <= 1


@MANY
@given(trials())
def test_every_ruling_below_the_last_that_is_overtaken_was_appealed(trial):
    ruled = {event.data.level for event in trial.log if isinstance(event.data, Ruled)}
    for event in trial.log:
        if isinstance(event.data, Escalated) and event.data.level in ruled:
            assert event.data.cause == "appeal"


@MANY
@given(trials())
def test_a_step_asks_for_what_the_case_can_take_and_settling_twice_writes_nothing(trial):
    step = next_step(trial.state)
    compelled = settle(trial.state, trial.now)
    if isinstance(step, Settle):
        assert len(compelled) == 1
    elif not isinstance(step, AwaitAppeal | AwaitAnnulment):
        assert compelled == []
    else:
        assert bool(compelled) == (trial.now >= step.until)
    assert isinstance(
        step,
        BeginLevel
        | ApplyRule
        | HoldDeliberation
        | AskMediator
        | Settle
        | AwaitAppeal
        | AwaitPerson
        | AwaitAnnulment
        | HearAnnulment
        | Closed,
    )


@MANY
@given(trials())
def test_every_refusal_is_one_printable_line(trial):
    assert all(str(refusal).isprintable() and len(str(refusal)) < 400 for refusal in trial.refusals)


@MANY
@given(trials())
def test_a_ruling_covers_no_write_that_it_did_not_hear(trial):
    heard = 0
    for event in trial.log:
        match event.data:
            case LevelBegun(heard=number):
                heard = number
            case Resolved(covers=covers):
                assert set(covers) <= set(trial.state.opened.dots(heard))
