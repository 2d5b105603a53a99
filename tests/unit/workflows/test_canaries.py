"""What hosts found of a canary that is no longer tried is none of the next one's."""

from domain.learning.policy import DataSelector, TrainerSpec
from domain.learning.versions.commands import JudgeCanary
from domain.learning.versions.policy import EvaluateOn
from tests.unit.domain.learning.versions.story import Story, found
from workflows import canaries

ON = EvaluateOn(TrainerSpec("mean"), DataSelector("digits"))


def tried():
    """v1.0 serves, and v1.1 is tried."""
    story = Story()
    story.publish("c1")
    story.publish("c2", "v1.0", canary=1.0, evaluation=ON)
    return story


def test_what_was_found_of_a_canary_is_judged():
    assert len(canaries.judged(tried().state, JudgeCanary("v1.1", (found(0.5),)))) == 2


def test_nothing_is_judged_of_a_canary_that_was_taken_back_also_while_the_next_is_tried():
    story, late = tried(), JudgeCanary("v1.1", (found(0.5),))
    story.back()
    assert canaries.judged(story.state, late) == []
    story.publish("c3", "v1.0", canary=1.0, evaluation=ON)
    assert canaries.due(story.state).canary.version == "v1.2"
    assert canaries.judged(story.state, late) == []
