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
