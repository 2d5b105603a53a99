"""What a case recorded of its panels is held against the panels' own streams."""

from dataclasses import replace

from audit.cases import Panels
from domain.conflict.deliberations import level_question
from domain.consensus.state import NOT_OPENED
from tests.unit.domain.conflict.given import Trial, deliberated


def heard():
    """A case after its panel, and that panel's deliberation."""
    trial = Trial.of()
    trial.begin()
    deliberation = deliberated(level_question(trial.state, trial.members), trial.now)
    trial.deliberate()
    return trial.log, deliberation


def differing(log, deliberation=NOT_OPENED):
    panels = Panels()
    panels.take(log)
    assert panels.wanted() == ["consensus/c1-level-2"]
    panels.decided("consensus/c1-level-2", deliberation)
    return [one.problem for one in panels.differing()]


def test_a_case_that_recorded_its_panel_truly_differs_nowhere():
    assert differing(*heard()) == []


def test_a_panel_that_has_no_outcome_on_the_log_is_named():
    log, _ = heard()
    assert differing(log) == ["consensus/c1-level-2 has no outcome on the log"]


def test_a_deliberation_that_names_no_case_is_none_of_its_panels():
    log, deliberation = heard()
    assert differing(log, replace(deliberation, case=None)) == [
        "consensus/c1-level-2 has no outcome on the log"
    ]


def test_a_vote_that_was_turned_is_named():
    log, deliberation = heard()
    *before, last = log
    votes = (replace(last.data.votes[0], choice="p2"), *last.data.votes[1:])
    turned = replace(last, data=replace(last.data, votes=votes))
    assert differing([*before, turned], deliberation) == ["consensus/c1-level-2 tells it otherwise"]
