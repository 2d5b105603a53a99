"""A decided docket as people see it."""

import msgspec

from activities.docket_tasks import DocketResults
from cli.docket_report import table
from domain.consensus.docket import ItemOutcome


def test_items_that_differ_at_their_ends_alone_are_told_apart():
    names = [f"support-ticket-of-the-customer-portal-in-the-year-2026-number-{n:04d}" for n in (1, 2)]
    choice = "complaint about a delivery"
    items = [
        ItemOutcome(name, "consensus/t.0", choice, choice, (), "consensus", 1.0, {choice: 1.0}, choice, (), 1)
        for name in names
    ]
    shown = table(msgspec.json.encode(DocketResults("t", items, [], None)))
    first_column = "".join(line.split("│")[1].strip() for line in shown.splitlines() if line.startswith("│"))
    assert first_column == "".join(names)
    assert max(map(len, shown.splitlines())) <= 100
