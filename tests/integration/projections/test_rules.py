"""Rows of the shared context and the policy that they were settled by: never two of them in one table."""

import pytest

from audit.projection_check import check_projections
from domain.context.layers import layers_from
from domain.refusal import Refusal
from projections.registry import BY_NAME, CONTEXT
from tests.integration.projections.test_context import told
from tests.unit.domain.context.given import wrote

LATEST = layers_from({"situational": {"rule": "last_writer_wins"}})
CADENCE = layers_from({"situational": {"sync_seconds": 5.0, "ttl_seconds": 7.0}})
ANN, BOB = wrote("eu-1:1", {"free": 8}), wrote("us-1:1", {"free": 2})
CAT = wrote("us-2:1", {"free": 3})


@pytest.fixture(autouse=True)
def settle_by():
    """Says which policy a process that begins now has."""
    before = CONTEXT.layers
    yield CONTEXT.settle_by
    CONTEXT.settle_by(before)


async def write(bed, *writes, region="eu"):
    bed.log.append(told(*writes, region=region), f"context.{region}")
    await bed.project(f"context.{region}")


class Pool:
    def __init__(self, connection):
        self._connection = connection

    def acquire(self):
        return self

    async def __aenter__(self):
        return self._connection

    async def __aexit__(self, *_):
        pass


async def test_a_projector_by_another_policy_refuses_until_the_table_is_rebuilt_by_it(bed, settle_by):
    await write(bed, ANN, BOB)
    assert await bed.rows("context_entry", "standing") == [("undecided",)]
    settle_by(LATEST)
    with pytest.raises(Refusal, match=r"projection context: .* run `moot rebuild context` by the policy"):
        await write(bed, CAT)
    with pytest.raises(Refusal, match="projection context"):  # nor where nothing was projected yet
        await write(bed, ANN, region="us")
    assert await bed.rows("context_entry", "version, standing") == [(2, "undecided")]
    await (await bed.rebuilding([BY_NAME["context"]])).rebuild()
    assert await bed.rows("context_entry", "standing") == [("settled",)]
    await bed.project("context.eu")
    await bed.project("context.us")
    assert await bed.rows("context_entry", "region, version") == [("eu", 3), ("us", 1)]
    assert await bed.differences() == []


async def test_a_projector_that_still_runs_by_the_old_policy_stops_at_its_next_batch(bed, settle_by):
    await write(bed, ANN, BOB)
    old = await bed.projector("context.eu")
    before = CONTEXT.layers
    settle_by(LATEST)
    await (await bed.rebuilding([BY_NAME["context"]])).rebuild()
    settle_by(before)
    bed.log.append(told(CAT), "context.eu")
    with pytest.raises(Refusal, match="projection context"):
        await old.follow(3)
    assert await bed.rows("context_entry", "version, standing") == [(2, "settled")]


async def test_a_verification_by_another_policy_names_it_instead_of_a_row(bed, settle_by):
    await write(bed, ANN, BOB)
    settle_by(LATEST)
    with pytest.raises(Refusal, match="projection context"):
        await (await bed.rebuilding()).verify()
    _, findings = await check_projections(bed.log, Pool(bed.connection))
    assert [(one.where, one.problem[:20]) for one in findings] == [
        ("projection context", "was made by other ru")
    ]


async def test_how_often_a_layer_is_passed_on_and_how_long_it_lives_may_change_at_any_time(bed, settle_by):
    await write(bed, ANN)
    settle_by(CADENCE)
    await write(bed, BOB)
    await (await bed.rebuilding()).verify()
    assert await bed.differences() == []


async def test_rows_from_before_rules_were_noted_are_rebuilt_first(bed):
    await write(bed, ANN)
    await bed.connection.execute("UPDATE projection_offset SET rules = ''")
    with pytest.raises(Refusal, match="moot rebuild context"):
        await write(bed, BOB)
    await (await bed.rebuilding([BY_NAME["context"]])).rebuild()
    await bed.project("context.eu")
    assert await bed.rows("context_entry", "version") == [(2,)]
