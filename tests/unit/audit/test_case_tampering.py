"""A case whose stream was tampered with is named by its first event that cannot be; honest ones are not."""

from dataclasses import replace
from datetime import timedelta

import pytest

from audit.replay import replay_all
from domain.conflict import events as e
from domain.conflict.events import Member
from tests.unit.domain.conflict.given import Trial


def appealed():
    """From level 1, which settles nothing, over an appeal from 2 to 3."""
    trial = Trial.of(level=1)
    trial.decide(None)
    trial.decide("p1")
    trial.appeal("bob")
    trial.settle()
    trial.decide("p1")
    trial.end()
    return trial.log


async def problems(log):
    async def streams():
        yield log

    found = await replay_all(streams())
    # Of a stream that folds, its panels are missed: none is given here.
    return [one.problem for one in found.divergent if not one.problem.endswith("has no outcome on the log")]


def at(log, kind, nth=0):
    return [index for index, event in enumerate(log) if isinstance(event.data, kind)][nth]


def changed(log, kind, nth=0, **fields):
    index = at(log, kind, nth)
    event = log[index]
    return [*log[:index], replace(event, data=replace(event.data, **fields)), *log[index + 1 :]]


def without(log, kind):
    index = at(log, kind)
    later = [replace(event, version=event.version - 1) for event in log[index + 1 :]]
    return [*log[:index], *later]


def again(log, kind):
    """The event once more, behind the last."""
    return [*log, replace(log[at(log, kind)], version=len(log) + 1)]


def late(log):
    """The appeal and all that follows, after the window."""
    index = at(log, e.Appealed)
    moved = [replace(event, time=event.time + timedelta(days=30)) for event in log[index:]]
    return [*log[:index], *moved]


LOG = appealed()
SECOND, THIRD = LOG[at(LOG, e.LevelBegun, 1)].data.panel, LOG[at(LOG, e.LevelBegun, 2)].data.panel

TAMPERINGS = {
    "a ruling turned": (changed(LOG, e.Ruled, choice="p2", resolution="seven beds"), "does not follow"),
    "a ruling's words turned": (changed(LOG, e.Ruled, resolution="seven beds"), "does not follow"),
    "another authority": (changed(LOG, e.Ruled, authority="person"), "does not follow"),
    "a panel swapped": (changed(LOG, e.LevelBegun, 1, panel=(Member("m42", "eu"), *SECOND[1:])), "another"),
    "a seat removed": (changed(LOG, e.LevelBegun, 1, panel=SECOND[1:]), "seats"),
    "a member twice in one panel": (changed(LOG, e.LevelBegun, 1, panel=(SECOND[0],) * 3), "twice"),
    "a member in two panels": (changed(LOG, e.LevelBegun, 2, panel=(SECOND[0], *THIRD[1:])), "sat in this"),
    "a party on the panel": (
        changed(LOG, e.LevelBegun, 1, panel=(Member("ann", "eu"), *SECOND[1:])),
        "party",
    ),
    "a vote by a stranger": (changed(LOG, e.PanelHeard, votes=(e.Vote("mallory", "p1"),)), "does not sit"),
    "an appeal after the window": (late(LOG), "no longer, attack"),
    "an appeal by a stranger": (changed(LOG, e.Appealed, party="mallory"), "someone who may not"),
    "an escalation of another cause": (changed(LOG, e.Escalated, cause="no_quorum"), "does not follow"),
    "an escalation without its appeal": (without(LOG, e.Appealed), "cannot happen"),
    "a level without an escalation": (without(LOG, e.Escalated), "cannot happen"),
    "a ruling twice": (again(LOG, e.Ruled), "cannot happen"),
    "an outcome twice": (again(LOG, e.Resolved), "cannot happen"),
    "more writes covered": (changed(LOG, e.Resolved, covers=()), "does not follow"),
    "fewer escalations": (changed(LOG, e.Resolved, escalations=1), "does not follow"),
    "a voter scored otherwise": (changed(LOG, e.Resolved, scores=()), "scores: others follow"),
    "withdrawn after its end": (
        [*LOG, replace(LOG[-1], version=len(LOG) + 1, data=e.Withdrawn("temporal", "", 3))],
        "cannot happen",
    ),
}


async def test_an_honest_case_differs_nowhere():
    assert await problems(LOG) == []


@pytest.mark.parametrize("tampering", TAMPERINGS)
async def test_a_tampered_case_is_named(tampering):
    log, wanted = TAMPERINGS[tampering]
    (problem,) = await problems(log)
    assert wanted in problem


async def test_a_withdrawn_case_is_counted_as_such():
    trial = Trial.of()
    trial.withdraw("no longer needed")

    async def streams():
        yield trial.log

    found = await replay_all(streams())
    assert (found.withdrawn, found.cases, found.undecided, found.divergent) == (1, 0, 0, [])
