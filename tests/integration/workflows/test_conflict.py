"""Cases on their way through the levels: settled on each, appealed, ruled by a person, annulled, failed."""

from datetime import timedelta

import pytest

from domain.conflict.fold import fold_all
from domain.conflict.state import NO_CASE
from tests.integration.workflows.cases import LONG, Court, case, member
from workflows import hearings

CROWD = [member(number) for number in range(45)]


async def test_level_1_merges_what_does_not_contradict_and_its_ruling_stands(moot):
    request = case(moot.id("case"), severity=0.2)
    request["positions"][1]["claim"] = '{"porter": "Kim"}'
    court = await Court.of(moot, request)
    result = await court.handle.result()
    assert (result["resolution"], result["choice"]) == ('{"beds":9,"porter":"Kim"}', None)
    assert (result["level_used"], result["escalations"], result["final_authority"]) == (1, 0, None)
    assert result["event_ids"] == [event.id for event in court.events()]
    assert court.said() == ["opened", "level_begun", "rule_applied", "ruled", "resolved"]


async def test_level_1_is_asked_of_the_node_that_the_case_names(moot):
    node = moot.id("node")
    request = case(moot.id("case"), severity=0.2, layer="cultural", node=node)
    request["positions"][1]["region"] = "us"
    court = await Court.of(moot, request)
    await court.until(level=1, waits_for="ApplyRule")
    async with moot.thinking(node):
        result = await court.handle.result()
    assert (result["choice"], result["authority"]) == ("p1", "rule")


async def test_a_node_that_is_away_fails_its_level_and_the_case_goes_on(moot, monkeypatch):
    monkeypatch.setattr(hearings, "RULE_WITHIN", timedelta(seconds=1))
    court = await Court.of(moot, case(moot.id("case"), CROWD, severity=0.2, node=moot.id("away")))
    result = await court.handle.result()
    assert (result["level_used"], result["escalations"]) == (2, 1)
    assert result["reasons"][0].endswith(" gave no answer in time")


async def test_what_no_rule_settles_goes_to_level_2_with_its_cause(moot):
    court = await Court.of(moot, case(moot.id("case"), CROWD, severity=0.2))
    result = await court.handle.result()
    assert (result["choice"], result["level_used"], result["escalations"]) == ("p1", 2, 1)
    assert result["reasons"][0].startswith("level 1: failure: rule semantic_merge settles nothing")
    assert result["resolution"] == '{"beds": 9}'


async def test_the_panel_s_deliberation_scores_nobody_and_the_case_scores_all_of_it(moot):
    court = await Court.of(moot, case(moot.id("case"), CROWD))
    result = await court.handle.result()
    (begun,) = [event.data for event in court.events() if event.type == "conflict.level_begun.v1"]
    child = moot.log.stream(begun.deliberation)
    assert child[0].data.case == court.handle.id.removeprefix("conflict/")
    assert child[-1].data.scores == ()
    assert {score["voter"] for score in result["scores"]} == {seat.voter for seat in begun.panel}


async def test_the_stream_folds_to_what_the_workflow_answered(moot):
    court = await Court.of(moot, case(moot.id("case"), CROWD))
    result = await court.handle.result()
    state = fold_all(NO_CASE, court.events())
    assert [event.version for event in court.events()] == list(range(1, len(court.events()) + 1))
    assert state.outcome.resolution == result["resolution"]


async def test_level_3_is_decided_by_seven_of_other_regions(moot):
    court = await Court.of(moot, case(moot.id("case"), CROWD, severity=0.9))
    result = await court.handle.result()
    (begun,) = [event.data for event in court.events() if event.type == "conflict.level_begun.v1"]
    assert (result["level_used"], result["escalations"], len(begun.panel)) == (3, 0, 7)
    assert {seat.region for seat in begun.panel} == {"us", "asia"}


async def test_level_4_hears_fifteen_and_the_mediator_and_is_final(moot):
    court = await Court.of(moot, case(moot.id("case"), CROWD, level=4))
    result = await court.handle.result()
    assert (result["level_used"], result["final_authority"]) == (4, True)
    assert court.said() == [
        "opened",
        "level_begun",
        "panel_heard",
        "opinion_given",
        "ruled",
        "resolved",
    ]


async def test_an_appeal_takes_the_case_from_2_to_3(moot):
    court = await Court.of(moot, case(moot.id("case"), CROWD, policy={**LONG, "global_appeal_seconds": 0}))
    state = await court.until(status="appealable", level=2)
    assert state["may_appeal"] == ["ann", "bob"]
    assert await court.tell("appeal", party="bob", grounds="it overlooks the log")
    result = await court.handle.result()
    assert (result["level_used"], result["escalations"]) == (3, 1)
    assert result["reasons"][0] == "level 2: appeal: bob: it overlooks the log"
    seats = [seat.voter for event in court.events() for seat in getattr(event.data, "panel", ())]
    assert len(seats) == len(set(seats)) == 10


async def test_appeals_that_may_not_be_taken_are_refused_in_one_line(moot):
    court = await Court.of(moot, case(moot.id("case"), CROWD, policy={**LONG, "annulment_seconds": 0}))
    await court.until(status="appealable", level=2)
    sat = (await court.handle.query("state"))["panel"][0]
    assert await court.refused("appeal", party="mallory", grounds="g") == (
        f"party: mallory is no party to case {court.handle.id[9:]}"
    )
    assert "is no party" in await court.refused("appeal", party=sat, grounds="g")
    assert await court.refused("appeal", party="bob", grounds=" ") == "grounds: is empty"
    await court.tell("appeal", party="bob", grounds="g")
    await court.until(status="appealable", level=3)
    assert await court.refused("appeal", party="bob", grounds="again") == (
        "party: bob has appealed 1 of 1 times in this case"
    )
    await court.tell("appeal", party="ann", grounds="g")
    result = await court.handle.result()
    assert (result["level_used"], result["escalations"]) == (4, 2)


async def test_an_appeal_at_level_4_is_refused(moot):
    policy = {"annulment_seconds": 600}
    court = await Court.of(moot, case(moot.id("case"), CROWD, level=4, policy=policy))
    await court.until(status="final")
    assert await court.refused("appeal", party="bob", grounds="g") == (
        "level: level 4 is final; only annulment may be asked of its ruling"
    )
    await court.handle.terminate()


async def test_a_ruling_of_level_4_is_annulled_by_three_new_members(moot):
    members = [{"id": f"m{number}", "kind": "external"} for number in range(18)]
    court = await Court.of(moot, case(moot.id("case"), members, level=4, policy={"annulment_seconds": 600}))
    await court.vote("p1")
    await court.until(status="final")
    assert "ground: must be" in await court.refused("annul", party="bob", ground="dislike", statement="s")
    await court.tell("annul", party="bob", ground="no_reasons", statement="it says nothing")
    await court.vote("annul")
    line = await court.failed()
    assert line.startswith("Conflict resolution failed at all levels: level 4: annulled for no reasons")


async def test_past_level_4_every_cause_is_named(moot):
    court = await Court.of(moot, case(moot.id("case"), severity=0.2))
    line = await court.failed()
    assert line.startswith("Conflict resolution failed at all levels: level 1: failure: ")
    assert "; level 2: too few members: 0 members of region eu may sit, 3 are needed; level 3: " in line
    assert line.endswith("; level 4: too few members: nobody is left who may sit")
    assert court.said()[-1] == "unresolved"


@pytest.mark.parametrize("level", [0, 5, -1])
async def test_an_unknown_level_is_refused_by_its_number(moot, level):
    court = await Court.of(moot, case(moot.id("case"), level=level))
    assert await court.failed() == f"Unknown resolution level: {level}"
    assert court.events() == []


async def test_a_case_started_under_an_invented_id_is_handed_over(moot):
    request = case(moot.id("case"), CROWD)
    court = await Court.of(moot, request, id=moot.id("ui"))
    result = await court.handle.result()
    assert result["level_used"] == 2
    assert moot.log.stream(f"conflict/{request['id']}")


async def test_a_position_that_arrives_late_is_heard_by_the_next_level(moot):
    court = await Court.of(moot, case(moot.id("case"), CROWD, policy={**LONG, "global_appeal_seconds": 0}))
    await court.until(status="appealable")
    late = {"id": "p3", "party": "cem", "claim": "8"}
    assert len(await court.tell("grow", positions=[late])) == 1
    assert await court.refused("grow", positions=[late]) == "positions: all of them stand there already"
    await court.tell("appeal", party="bob", grounds="g")
    await court.handle.result()
    begun = [event.data.heard for event in court.events() if event.type == "conflict.level_begun.v1"]
    assert begun == [2, 3]


async def test_a_person_s_name_is_text_in_the_history_that_temporal_shows(moot):
    court = await Court.of(moot, case(moot.id("case"), CROWD, critical=True))
    await court.until(status="person")
    await court.tell("verdict", verdict="p1", reason="r", person="\u202e[Pat](http://evil)")
    await court.handle.result()
    told = [
        event.user_metadata.summary.data.decode() for event in (await court.handle.fetch_history()).events
    ]
    (said,) = [summary for summary in told if "gives a verdict" in summary]
    assert "Pat" in said
    assert "\u202e" not in said
    assert "[Pat](" not in said.replace("\\\\", "\\")


LONG_RUN = [pytest.mark.chaos, pytest.mark.timeout(1_800)]


@pytest.mark.parametrize("count", [60, pytest.param(10_000, marks=LONG_RUN)])
async def test_a_case_that_is_told_ever_more_keeps_a_history_of_one_length(moot, count):
    court = await Court.of(moot, case(moot.id("case"), CROWD, policy=LONG))
    await court.until(status="appealable")
    for number in range(3, 41):
        await court.tell("grow", positions=[{"id": f"p{number}", "party": "cem", "claim": str(number)}])
    full = len((await court.handle.fetch_history()).events)
    for number in range(count):
        again = {"id": f"p{3 + number % 80}", "party": "cem", "claim": str(3 + number % 80)}
        said = await court.refused("grow", positions=[again])
        assert said in (
            "positions: all of them stand there already",
            "positions: 41 are too many, at most 40",
        )
    assert len((await court.handle.fetch_history()).events) == full
    await court.handle.terminate()


async def shown(court):
    found = (await court.handle.describe()).typed_search_attributes
    details = (await court.handle.query("__temporal_workflow_metadata")).current_details
    ours = {pair.key.name: pair.value for pair in found if pair.key.name.startswith("Folkmoot")}
    return {name.removeprefix("Folkmoot"): value for name, value in ours.items()}, details


async def test_temporal_lists_a_case_by_level_status_and_region_and_shows_where_it_stands(moot):
    court = await Court.of(moot, case(moot.id("case"), CROWD, policy={**LONG, "global_appeal_seconds": 0}))
    await court.until(status="appealable")
    attributes, details = await shown(court)
    assert attributes == {"Kind": "conflict", "Status": "appealable", "Level": 2, "Region": "eu"}
    (begun,) = [event.data for event in court.events() if event.type == "conflict.level_begun.v1"]
    assert all(f"{seat.voter} p1" in details for seat in begun.panel)
    assert "open to appeal until" in details
    await court.tell("appeal", party="bob", grounds="g")
    await court.handle.result()
    attributes, details = await shown(court)
    assert attributes == {"Kind": "conflict", "Status": "resolved", "Level": 3, "Region": "eu"}
    assert "Resolved at level 3 by consensus" in details
