"""A cycle on the real broker and server, from the request to the published model."""

from domain.learning.events import CycleClosed, CycleOpened, RoundAggregated, RoundOpened, UpdatesCollected


async def test_three_rounds_of_digits_on_two_hosts_become_a_version_with_the_same_digest_again(fleet):
    ten = await fleet()
    request = await ten.request()
    first = await ten.run(request)
    events = await ten.stream(request["id"])
    assert [type(event.data) for event in events] == [
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
    other = await ten.run(await ten.request(seed=8, parent=None))
    assert other["digest"] != first["digest"]
