"""A part that dies again and again is not ready, though it is each time it is looked at."""

import pytest

from workers import health
from workers.embedded import crashes
from workers.health import Health

NOW = 1_000_000.0


@pytest.mark.parametrize(
    ("ages", "said"),
    [
        ([], ""),
        ([1, 2], ""),
        ([1, 2, 3], "died 3 times in the last 60 s; see log/projector.log"),
        ([1, 2, 60], "died 3 times in the last 60 s; see log/projector.log"),
        ([1, 2, 60.1], ""),
        ([1, 2, -5], ""),
        ([*range(40)], "died 40 times in the last 60 s; see log/projector.log"),
    ],
    ids=["none", "two", "three", "just recent", "one too old", "a clock that was set back", "many"],
)
def test_three_deaths_within_a_minute_are_too_many(ages, said):
    deaths = [NOW - age for age in ages]
    assert crashes.problem(deaths, NOW, "log/projector.log") == said


def test_a_part_is_judged_by_its_deaths_whatever_it_answers_now():
    stated = {"projector": {"deaths": [NOW, NOW, NOW], "log": "log/p"}, "kafka": {"log": "log/k"}}
    parts = [Health("projector"), Health("projector", problem="is not ready"), Health("kafka")]
    died = "died 3 times in the last 60 s; see log/p"
    said = [health._steady(part, stated, NOW).problem for part in parts]
    assert said == [died, f"is not ready; {died}", ""]
    assert health._steady(Health("kafka", problem="is away"), stated, NOW).problem == "is away"
    assert not health._steady(Health("elsewhere"), stated, NOW).problem
