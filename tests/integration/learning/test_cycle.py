"""A cycle on the real broker and server, from the request to the published model."""

import asyncio
from datetime import timedelta

import pytest
from temporalio.client import WorkflowFailureError

from activities.privacy import plain
from activities.privacy.registry import Methods
from domain.learning.events import (
    CycleClosed,
    CycleFailed,
    CycleOpened,
    CycleWithdrawn,
    RoundAggregated,
    RoundOpened,
    UpdatesCollected,
)
from domain.learning.policy import CohortPolicy
from domain.learning.selection import draw
from tests.fakes import toy_sum
from tests.fakes.learning import candidate
from workflows import learning

EVERYBODY = {"share": 1, "minimum": 10, "size": 10}


def kinds(events):
    return [type(event.data) for event in events]


async def failure_of(fleet, request, **options):
    handle = await fleet.start(request, **options)
    with pytest.raises(WorkflowFailureError) as failure:
        await asyncio.wait_for(handle.result(), 60)
    return failure.value.cause.message


async def test_three_rounds_of_digits_on_two_hosts_become_a_version_with_the_same_digest_again(fleet):
    ten = await fleet()
    request = await ten.request()
    first = await ten.run(request)
    events = await ten.stream(request["id"])
    assert kinds(events) == [
        CycleOpened,
        *(RoundOpened, UpdatesCollected, RoundAggregated) * 3,
        CycleClosed,
    ]
    asked = {member.client for event in events[1:-1:3] for member in event.data.cohort}
    assert first["participants"] == len(asked)
    assert events[-2].data.digest == first["digest"]
    assert first["insights_aggregated"] == 24
    assert first["privacy_level"] == "none"
    assert first["version"] == "v1.0"
    metrics = first["evolution_metrics"]
    assert [one["round"] for one in metrics] == [1, 2, 3]
    assert metrics[-1]["accuracy"] > 0.7
    assert metrics[-1]["loss"] < metrics[0]["loss"]
    assert all(0 < one["sent_bytes"] < one["raw_bytes"] for one in metrics)
    ten.versions.known.clear()
    again = await ten.run(await ten.request())
    assert again["digest"] == first["digest"]
    ten.versions.known.clear()
    other = await ten.run(await ten.request(seed=8))
    assert other["digest"] != first["digest"]
    onward = await ten.run(await ten.request(rounds=1, parent="v1.0"))
    assert onward["evolution_metrics"][0]["loss"] < metrics[0]["loss"]


async def test_runs_that_hand_over_to_each_other_write_one_stream_and_the_same_model(fleet):
    ten = await fleet()
    whole = await ten.run(await ten.request(rounds=4))
    ten.versions.known.clear()
    request = await ten.request(rounds=4, history=30)
    parts = await ten.run(request)
    events = await ten.stream(request["id"])
    assert len({event.run_id for event in events}) > 1
    assert [event.version for event in events] == [*range(1, 15)]
    assert parts["digest"] == whole["digest"]
    assert parts["evolution_metrics"] == whole["evolution_metrics"]


@pytest.mark.parametrize("strategy", ["fedsgd", "fedprox", "scaffold", "clustered", "q_fedavg", "multi_krum"])
async def test_other_strategies_train_through_the_same_rounds(fleet, strategy):
    ten = await fleet()
    settings = {"fedsgd": {"rate": 0.5}}.get(strategy, {})
    found = await ten.run(
        await ten.request(rounds=3, cohort=EVERYBODY, strategy={"name": strategy, "settings": settings})
    )
    metrics = found["evolution_metrics"]
    assert metrics[-1]["loss"] < metrics[0]["loss"] < 2.31


async def test_99_of_100_reports_abandon_the_round_and_100_succeed_with_a_new_cohort(fleet):
    more = await fleet(clients=120)
    policy = {"share": 1, "minimum": 100, "size": 100, "attempts": 2}
    there = await more.roster.candidates()

    def cohort(seed, attempt):
        return {one.client for one in draw(there, CohortPolicy(**policy), seed, 1, attempt)}

    seed, broken = next(
        (seed, gone) for seed in range(9) for gone in sorted(cohort(seed, 1) - cohort(seed, 2))
    )
    del more.rows[broken]
    request = await more.request(rounds=1, cohort=policy, seed=seed)
    found = await more.run(request)
    opened, heard, abandoned, again, *_ = [event.data for event in await more.stream(request["id"])][1:]
    assert (abandoned.reported, abandoned.minimum) == (99, 100)
    assert abandoned.reason == "99 of 100 reports came in"
    assert [(loss.client, loss.why) for loss in heard.lost] == [(broken, "refused")]
    assert (opened.attempt, again.attempt) == (1, 2)
    assert {member.client for member in again.cohort} == cohort(seed, 2)
    assert (found["insights_aggregated"], found["participants"]) == (100, 100)


async def test_a_round_abandoned_for_the_last_time_ends_the_cycle_by_name(fleet):
    ten = await fleet()
    ten.roster.there.append(candidate("x", ten.host(0), trainers=ten.trainers.names()))
    request = await ten.request(cohort={"share": 1, "minimum": 11, "attempts": 2})
    said = await failure_of(ten, request)
    assert said == "cycle: round 1 was abandoned 2 times, at last since 10 of 11 reports came in"
    events = await ten.stream(request["id"])
    assert kinds(events)[-1] is CycleFailed
    lost = [loss for event in events if isinstance(event.data, UpdatesCollected) for loss in event.data.lost]
    assert {(one.client, one.why) for one in lost} == {("x", "refused")}


BAD = {
    "an unknown field": ({"colour": "red"}, "colour: is not a field here"),
    "an unknown trainer": ({"trainer": {"name": "magic"}}, "'magic' is not installed"),
    "a setting of the trainer": (
        {"trainer": {"name": "logistic-regression", "settings": {"features": 0, "classes": 10}}},
        "features",
    ),
    "an unknown strategy": ({"strategy": {"name": "magic"}}, "there is no 'magic'"),
    "an unknown privacy method": ({"privacy": {"method": "magic"}}, "Unknown privacy method: 'magic'"),
    "a method not installed": ({"privacy": {"method": "homomorphic_encryption"}}, "is not installed here"),
    "one update hidden by rule": (
        {"strategy": {"name": "median"}, "privacy": {"method": "secure_mpc"}},
        "median needs each client's update",
    ),
    "a cohort that cannot be": ({"cohort": {}}, "share 0.01 of 10 eligible allows 0, fewer than minimum 100"),
    "a missing holdout": ({"holdout": {"uri": "", "sha256": "0" * 64, "bytes": 1}}, "is not in this store"),
    "a parent that is not there": ({"parent": "v9.9"}, "has no version v9.9"),
    "what only runs hand on": (
        {"carried": {"state": "", "course": None, "session": None}},
        "carried.course: must be an object",
    ),
}


async def test_a_request_that_cannot_be_run_fails_at_once_in_one_line_and_writes_nothing(fleet):
    ten = await fleet(methods=lambda journal: Methods([plain.installed(), toy_sum.installed(journal)]))
    for change, line in BAD.values():
        request = {**await ten.request(), **change}
        said = await failure_of(ten, request)
        assert line in said, said
        assert "\n" not in said
        assert await ten.stream(request["id"]) == []


async def test_a_cycle_started_under_another_id_is_handed_over_and_no_id_is_used_twice(fleet):
    ten = await fleet()
    request = await ten.request(rounds=1)
    first = await ten.run(request, id=f"from-the-ui-{ten.name}")
    assert first["version"] == "v1.0"
    assert kinds(await ten.stream(request["id"]))[-1] is CycleClosed
    said = await failure_of(ten, request, id=f"again-{ten.name}")
    assert "is being or was decided already; choose another id" in said


async def test_a_scheduled_cycle_is_named_by_its_start(fleet):
    ten = await fleet()
    request = await ten.request(rounds=1, scheduled=True)
    found = await ten.run(request, id=f"schedule-{ten.name}")
    assert found["cycle"].startswith(f"{request['id']}-20")
    assert kinds(await ten.stream(found["cycle"]))[-1] is CycleClosed


async def test_a_cancelled_cycle_is_withdrawn_on_its_log(fleet):
    ten = await fleet(hosts=1)
    ten.roster.there.append(candidate("x", f"nowhere-{ten.name}", trainers=ten.trainers.names()))
    request = await ten.request(cohort={"share": 1, "minimum": 11})
    handle = await ten.start(request)
    async with asyncio.timeout(20):
        while (await handle.query("state"))["status"] != "training":
            pass
    assert "Round 1: 11 of 11 eligible were asked." in await handle.query("explain")
    await handle.cancel()
    with pytest.raises(WorkflowFailureError):
        await asyncio.wait_for(handle.result(), 30)
    assert kinds(await ten.stream(request["id"])) == [CycleOpened, RoundOpened, CycleWithdrawn]
    assert (await handle.query("state"))["status"] == "withdrawn"


async def test_a_host_that_is_not_there_is_named_and_the_round_goes_on_without_it(fleet):
    ten = await fleet()
    ten.roster.there.append(candidate("x", f"nowhere-{ten.name}", trainers=ten.trainers.names()))
    request = await ten.request(
        rounds=1, cohort={"share": 1, "minimum": 9, "size": 11}, local={"seconds": 1, "learning_rate": 0.5}
    )
    found = await ten.run(request)
    assert (found["participants"], found["evolution_metrics"][0]["cohort"]) == (10, 11)
    (heard,) = [e.data for e in await ten.stream(request["id"]) if isinstance(e.data, UpdatesCollected)]
    assert [(loss.client, loss.why) for loss in heard.lost] == [("x", "unreachable")]


async def test_a_cohort_above_a_hundred_trains_in_shards(fleet):
    many = await fleet(clients=250, hosts=5)
    request = await many.request(rounds=1, cohort={"share": 1, "minimum": 250, "size": 250})
    found = await many.run(request)
    assert found["participants"] == 250
    events = await many.stream(request["id"])
    assert [len(e.data.reports) for e in events if isinstance(e.data, UpdatesCollected)] == [100, 100, 50]


async def test_a_method_that_hides_updates_passes_its_messages_and_comes_to_the_same_mean(fleet):
    ten = await fleet(methods=lambda journal: Methods([plain.installed(), toy_sum.installed(journal)]))
    plainly = await ten.run(await ten.request(cohort=EVERYBODY))
    ten.versions.known.clear()
    request = await ten.request(cohort=EVERYBODY, privacy={"method": "secure_mpc"})
    hidden = await ten.run(request)
    assert hidden["privacy_level"] == "secure_sum"
    for one, other in zip(plainly["evolution_metrics"], hidden["evolution_metrics"], strict=True):
        assert other["loss"] == pytest.approx(one["loss"], rel=1e-5)
    (*_, last, _) = await ten.stream(request["id"])
    assert last.data.evidence is not None
    reports = [
        r
        for e in await ten.stream(request["id"])
        if isinstance(e.data, UpdatesCollected)
        for r in e.data.reports
    ]
    assert {report.loss for report in reports} == {None}


async def test_clients_silent_before_or_after_training_are_out_and_a_sum_that_cannot_be_had_is_tried_again(
    fleet,
):
    silent = {("hello", "c001"), ("reveal", "c002")}
    ten = await fleet(
        methods=lambda journal: Methods([plain.installed(), toy_sum.installed(journal, silent)])
    )
    request = await ten.request(
        rounds=1,
        privacy={"method": "secure_mpc"},
        cohort={"share": 1, "minimum": 8, "size": 10, "attempts": 2},
    )
    said = await failure_of(ten, request)
    assert "abandoned 2 times, at last since 8 of 9 pads were revealed" in said
    (heard, _) = [e.data for e in await ten.stream(request["id"]) if isinstance(e.data, UpdatesCollected)]
    assert [(loss.client, loss.why) for loss in heard.lost] == [("c001", "refused")]


@pytest.mark.parametrize("back", [True, False])
async def test_a_fleet_that_is_gone_between_two_rounds_is_waited_for_as_long_as_a_round_may_take(
    fleet, monkeypatch, back
):
    monkeypatch.setattr(learning, "LOOK_AGAIN", timedelta(seconds=0.2))
    ten = await fleet()
    there, looks = await ten.roster.candidates(), 0

    async def candidates():
        nonlocal looks
        looks += 1
        gone = looks > 1 and not (back and looks > 3)  # it is read once before the cycle opens
        return [] if gone else there

    ten.roster.candidates = candidates
    seconds = 20 if back else 1
    request = await ten.request(rounds=2, local={"seconds": seconds, "learning_rate": 0.5})
    if back:
        assert len((await ten.run(request))["evolution_metrics"]) == 2
        assert looks == 4
    else:
        assert "0 eligible, fewer than minimum 4" in await failure_of(ten, request)
        (*_, last) = await ten.stream(request["id"])
        assert (type(last.data), last.data.round) == (CycleFailed, 2)


async def test_messages_that_cannot_be_passed_on_lose_the_attempt_and_not_what_came_in(fleet):
    ten = await fleet(
        methods=lambda journal: Methods([plain.installed(), toy_sum.installed(journal, lost=10)])
    )
    one_try = {**EVERYBODY, "attempts": 1}
    request = await ten.request(privacy={"method": "secure_mpc"}, cohort=one_try)
    assert "at last since the messages are none" in await failure_of(ten, request)
    (heard,) = [e.data for e in await ten.stream(request["id"]) if isinstance(e.data, UpdatesCollected)]
    assert len(heard.reports) == 10
