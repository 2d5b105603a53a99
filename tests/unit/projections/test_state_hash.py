"""The hash of a state: blind to where rows lie, awake to every value in them."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from projections.consensus import ConsensusProjection
from projections.deliberation import DELIBERATION, REPUTATION
from projections.state_hash import first_difference, state_hash

PROJECTION = ConsensusProjection()
AT = datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC)
ROW = (
    *("consensus/a", 3, "id-3", 0, 10, 12),
    *("open", "Is it so?", "weather", None, None, None, None, 0.25, 1, AT, None, '{"options":["a"]}'),
)
SUMS = ("weather", "ann", 1 << 80, 0, 3, 5, 1, 0)


class Given:
    def __init__(self, **tables):
        self.tables = tables

    async def rows(self, table, projection) -> AsyncIterator[tuple]:
        assert projection is PROJECTION
        for row in self.tables.get(table.name, []):
            yield row


def given_rows(row=ROW, sums=SUMS):
    return Given(deliberation=[row], reputation=[sums])


async def test_sums_hash_alike_as_integers_and_as_postgres_gives_them():
    stored = given_rows(sums=("weather", "ann", Decimal(1 << 80), Decimal(0), Decimal(3), Decimal(5), 1, 0))
    assert await state_hash(given_rows(), PROJECTION) == await state_hash(stored, PROJECTION)
    assert await first_difference(given_rows(), stored, PROJECTION) is None


async def test_a_hash_is_pinned_so_that_it_never_changes_by_accident():
    found = await state_hash(given_rows(), PROJECTION)
    assert found.rows == 2
    assert found.digest == "f3ab78d7768abfdc5489e5bfff307fc06b2cca51577f1b2062204901ad9158bf"


@given(st.integers(0, len(ROW) - 1))
async def test_every_column_counts(place):
    changed = list(ROW)
    changed[place] = "another" if isinstance(ROW[place], str) or ROW[place] is None else 77
    other = given_rows(row=tuple(changed))
    assert (await state_hash(other, PROJECTION)).digest != (await state_hash(given_rows(), PROJECTION)).digest
    difference = await first_difference(other, given_rows(), PROJECTION)
    assert difference.startswith("deliberation ")
    if place:
        assert f": {list(DELIBERATION.columns)[place].name} is " in difference


async def test_a_row_in_another_table_is_another_state():
    assert await state_hash(Given(deliberation=[("a",)]), PROJECTION) != await state_hash(
        Given(dead_letter=[("a",)]), PROJECTION
    )


async def test_missing_and_surplus_rows_are_named():
    one = Given(deliberation=[ROW])
    two = Given(deliberation=[ROW, ("consensus/b", *ROW[1:])])
    assert await first_difference(one, two, PROJECTION) == "deliberation consensus/b is missing"
    assert await first_difference(two, one, PROJECTION) == (
        "deliberation consensus/b is there, but should not be"
    )
    before = Given(deliberation=[("consensus/0", *ROW[1:]), ROW])
    assert await first_difference(one, before, PROJECTION) == "deliberation consensus/0 is missing"


async def test_what_a_difference_shows_is_fit_for_a_terminal():
    evil = given_rows(row=(*ROW[:7], "\x1b[2J\u202e" + "x" * 500, *ROW[8:]))
    shown = await first_difference(evil, given_rows(), PROJECTION)
    assert shown.isprintable()
    assert len(shown) < 400


def test_the_rows_of_this_file_have_the_columns_of_the_tables():
    assert len(ROW) == len(DELIBERATION.columns)
    assert len(SUMS) == len(REPUTATION.columns)
