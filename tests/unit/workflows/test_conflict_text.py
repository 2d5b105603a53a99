"""A case in words: where it stands, for whom, until when; whatever people wrote stays text."""

from domain.conflict.state import NO_CASE
from tests.unit.domain.conflict.given import Trial
from workflows.conflict_text import explanation, summary, table


def test_a_case_before_its_opening_says_so():
    assert (table(NO_CASE), explanation(NO_CASE)) == ("not opened yet", "The case is not opened yet.")
    assert (summary(NO_CASE)["status"], summary(NO_CASE)["panel"]) == ("opening", [])


def test_the_panel_its_votes_and_the_time_left_to_appeal_are_shown():
    trial = Trial.of()
    trial.begin()
    assert explanation(trial.state).endswith("Its panel deliberates in consensus/c1-level-2.")
    panel = summary(trial.state)["panel"]
    trial.deliberate(**trial.everyone("p2"))
    trial.settle()
    until = trial.state.window_end().isoformat(timespec="seconds")
    assert summary(trial.state)["open_until"] == until
    assert f"is open to appeal until {until} by ann, bob." in explanation(trial.state)
    assert all(f"{voter} p2" in table(trial.state) for voter in panel)
    trial.end()
    assert trial.state.status == "resolved"
    assert explanation(trial.state).endswith("Resolved at level 2 by consensus: seven beds.")


def test_a_critical_case_tells_its_person_what_may_be_chosen_and_until_when():
    trial = Trial.of(critical=True)
    trial.decide("p1")
    assert "It waits for a person's verdict until 20" in explanation(trial.state)
    assert explanation(trial.state).endswith(": p1, p2.")
    trial.rule("p2")
    trial.settle()
    assert "Pat gave the verdict p2: on reflection" in explanation(trial.state)
    trial.annul("bob")
    assert "bob asked for annulment for no_reasons" in explanation(trial.state)
    assert summary(trial.state)["deliberation"] == "consensus/c1-annulment-1"


def test_a_question_is_shown_as_text_whatever_markup_it_holds():
    trial = Trial.of(question="[click](http://evil) | **now**")
    assert "[click](" not in table(trial.state)
    assert "**now**" not in table(trial.state)


def test_a_case_that_no_level_settled_says_every_cause():
    trial = Trial.of(())
    for _ in range(3):
        trial.decide("p1")
    assert trial.state.status == "unresolved"
    assert explanation(trial.state).splitlines()[-1].startswith("Conflict resolution failed at all levels: ")


def test_a_level_that_nobody_could_hear_is_told_with_its_cause_and_never_as_being_heard():
    trial = Trial.of((), critical=True)
    trial.begin()
    court = "Level 4 (supreme court), 0 members (everyone who may sit: 0 of 15 seats): nobody is left"
    assert court in explanation(trial.state)
    trial = Trial.of(())
    for _ in range(3):
        trial.decide("p1")
    lines = explanation(trial.state).splitlines()
    assert [line[:7] for line in lines if line.startswith("Level")] == ["Level 2", "Level 3", "Level 4"]
    assert "Level 2 (regional consensus), nobody: too few members: 0 members of region eu" in "\n".join(lines)
    assert "being heard" not in table(trial.state) + explanation(trial.state)


def test_what_a_court_came_to_is_told_while_a_person_is_awaited():
    trial = Trial.of(critical=True)
    trial.begin()
    assert "it is being heard" in explanation(trial.state)
    trial.deliberate(**trial.everyone("p2"))
    trial.opine()
    trial.settle()
    assert trial.state.phase == "person"
    assert "; it holds for p2." in explanation(trial.state)
    assert "it is being heard" not in explanation(trial.state)


def test_a_case_that_is_taken_back_while_it_is_heard_says_that_it_was_not_heard_to_its_end():
    trial = Trial.of()
    trial.begin()
    trial.withdraw()
    assert "it was not heard to its end." in explanation(trial.state)


def test_the_mediator_is_told_apart_from_what_it_says():
    trial = Trial.of(critical=True)
    trial.begin()
    trial.deliberate(**trial.everyone("p2"))
    trial.opine("p1")
    assert "\nThe mediator (m) holds for p1." in explanation(trial.state)
    trial = Trial.of((), critical=True)
    trial.begin()
    trial.opine(None)
    assert "\nThe mediator (m) gives no verdict." in explanation(trial.state)
