"""What `moot consensus show` says of a deliberation that only the read model knows."""

from typing import Any

from cli.consensus_view import recorded

CLOSED = {"round": 1, "tally": [{"choice": "a", "ballots": 2}], "reason": "the leading choice has 0.6666"}


def row(consensus: str | None, status: str, outcome: dict[str, Any] | None) -> dict[str, Any]:
    state = {"panel": {"v": 1.0, "w": 1.0}, "rounds": [CLOSED], **({"outcome": outcome} if outcome else {})}
    named = {"question": "Which?", "docket": "d", "item": "pear", "consensus": consensus, "status": status}
    return {**named, "state": state}


def test_an_item_is_told_with_its_docket_its_count_and_its_outcome():
    told = recorded(row("a", "consensus", {"authority": "consensus", "leading": ["a"]})).splitlines()
    assert told == [
        "Which?",
        "Item pear of docket d, 2 voters.",
        "Round 1: a 2. the leading choice has 0.6666.",
        "Decided by consensus: a.",
    ]


def test_what_leads_without_a_consensus_is_said_to_be_unresolved():
    told = recorded(row(None, "unresolved", {"authority": "rule", "leading": ["a", "b"]}))
    assert told.endswith("Unresolved, leading a, b.")


def test_what_is_not_decided_is_not_told_as_decided():
    assert recorded(row(None, "open", None)).endswith("Not decided when the tables were last written: open.")
