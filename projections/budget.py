"""The read model of privacy ledgers: one row each, and what each of their subjects has spent."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import JSON, Column, Float, Numeric, PrimaryKeyConstraint, Table

from domain.event import Event
from domain.learning.budget.events import BudgetCharged, BudgetEvent, BudgetOpened, BudgetRefused
from domain.learning.budget.state import ROUNDING
from domain.refusal import ImpossibleEvent
from projections.projection import Addition
from projections.tables import METADATA, count, moment, stamps, text

BILLION = 10**9
BUDGET_LEDGER = Table(
    "budget_ledger",
    METADATA,
    *stamps(),
    text("ledger"),
    Column("budget", Float, nullable=False),
    Column("delta", Float, nullable=False),
    count("charges"),
    count("refusals"),
    Column("largest", Float, nullable=False),
    moment("opened_at"),
    moment("charged_at", required=False),
    Column("state", JSON, nullable=False),
    PrimaryKeyConstraint("stream"),
)
BUDGET_SUBJECT = Table(
    "budget_subject",
    METADATA,
    text("ledger"),
    text("subject"),
    Column("spent", Numeric, nullable=False),
    count("releases"),
    PrimaryKeyConstraint("ledger", "subject"),
    postgresql_with={"fillfactor": 50},  # the same rows change with every charge
)


class Part(msgspec.Struct, frozen=True):
    """A charge of which `part` was folded last and more will come."""

    id: str
    part: int


@dataclass(frozen=True, slots=True)
class Row:
    """What a ledger's row shows; who has spent what is in the sums."""

    opened: BudgetOpened
    opened_at: datetime
    charges: int = 0
    refusals: int = 0
    largest: float = 0.0
    charged_at: datetime | None = None
    pending: Part | None = None


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Part | None).decode


class BudgetProjection:
    """Ledgers by stream, subjects by ledger and name."""

    name = "budget"
    topic = "learning"
    category = "budget"
    home = BUDGET_LEDGER
    totals = BUDGET_SUBJECT
    adding = frozenset[type]({BudgetCharged})
    numbered = True
    rules = ""

    def fold(self, state: Row | None, event: Event) -> Row:
        data = event.data
        if not isinstance(data, BudgetEvent) or (state is None) != isinstance(data, BudgetOpened):
            raise ImpossibleEvent("type", f"{event.type} cannot follow in a ledger")
        if isinstance(data, BudgetOpened):
            return Row(data, event.time)
        if state is None:
            raise AssertionError("checked above")
        if isinstance(data, BudgetRefused):
            return replace(state, refusals=state.refusals + 1, charged_at=event.time)
        return _charged(state, data, event.time)

    def adds(self, state: Row, event: Event) -> Iterable[Addition]:
        data = event.data
        if not isinstance(data, BudgetCharged):
            return
        for spent in data.spent:
            # Differences of rounded numbers, so that the sum is the last one, rounded.
            added = round(spent.after * BILLION) - round(spent.before * BILLION)
            for subject in spent.subjects:
                yield (state.opened.ledger, subject), (added, data.mechanism.count)

    def settled(self, state: Row) -> bool:  # noqa: ARG002 # a ledger is never closed
        return False

    def row(self, state: Row) -> tuple[Any, ...]:
        return (
            state.opened.ledger,
            state.opened.budget,
            state.opened.delta,
            state.charges,
            state.refusals,
            state.largest,
            state.opened_at,
            state.charged_at,
            _encode(state.pending).decode(),
        )

    def state(self, values: Sequence[Any]) -> Row:
        ledger, budget, delta, charges, refusals, largest, opened_at, charged_at, pending = values
        opened = BudgetOpened(ledger, budget, delta)
        return Row(opened, opened_at, charges, refusals, largest, charged_at, _decode(pending))


def _charged(state: Row, data: BudgetCharged, at: datetime) -> Row:
    before = state.pending or Part(data.id, 0)
    if (before.id, before.part + 1) != (data.id, data.part):
        raise ImpossibleEvent("part", f"part {data.part} does not follow part {before.part} of a charge")
    largest = max([state.largest, *(spent.after for spent in data.spent)])
    if largest > state.opened.budget + ROUNDING:
        raise ImpossibleEvent("after", f"{largest:g} epsilon of a budget of {state.opened.budget:g}")
    if data.part < data.parts:
        return replace(state, largest=largest, charged_at=at, pending=Part(data.id, data.part))
    return replace(state, charges=state.charges + 1, largest=largest, charged_at=at, pending=None)
