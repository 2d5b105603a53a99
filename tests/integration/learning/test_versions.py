"""Cycles hand their models to the keeper, and the nodes that trained try the next version."""

import asyncio
import uuid

from domain.learning.versions.state import NO_MODEL, fold_all
from eventlog.codec import decode
from eventlog.reader import LogReader
from tests.integration.learning.conftest import DEADLINE
from workers.models import TemporalModels
from workflows.names import model_stream


async def test_a_second_cycle_goes_on_from_the_first_and_its_version_is_tried_where_the_rows_are(
    fleet, client
):
    name = uuid.uuid4().hex[:8]
    models = TemporalModels(client, f"folkmoot-{name}")
    ten = await fleet(name=name, versions=models)
    first = await ten.run(await ten.request(rounds=1))
    second = await ten.run(await ten.request(rounds=2, publish={"canary": 1.0, "tolerance": 0.05}))
    assert (first["version"], second["version"]) == ("v1.0", "v1.1")
    async with asyncio.timeout(DEADLINE):
        while (serving := await models.serving(f"digits-{name}")).canary is not None:
            pass
    assert (serving.active.name, serving.active.digest) == ("v1.1", second["digest"])
    async with LogReader(*ten.kafka) as reader:
        events = [decode(one.value) for one in await reader.stream(model_stream(f"digits-{name}"))]
    state = fold_all(NO_MODEL, events)
    assert [event.type.split(".")[1] for event in events] == [
        *("version_published", "promoted"),
        *("version_published", "canary_started", "canary_evaluated", "promoted"),
    ]
    found = state.evaluated
    assert {one.host for one in found.results} == {ten.host(0), ten.host(1)}
    assert sum(one.canary.samples for one in found.results) == 1500
    assert all(one.canary.loss < one.former.loss for one in found.results)
    published = state.version("v1.1")
    assert (published.parent, published.evaluation.trainer.name) == ("v1.0", "logistic-regression")
    assert len({*vars_of(published.digests)}) == 5
    await client.get_workflow_handle(model_stream(f"digits-{name}")).terminate("the test is over")


def vars_of(digests):
    return [getattr(digests, name) for name in digests.__slots__]
