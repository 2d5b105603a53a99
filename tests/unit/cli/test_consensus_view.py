"""What `moot consensus show` says of a deliberation that only the read model knows."""

from typing import Any

from cli.consensus_view import outcome, recorded, rows, without_outcome

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
        "Round 1: a 2; the leading choice has 0.6666.",
        "Decided by consensus: a.",
    ]


def test_what_leads_without_a_consensus_is_said_to_be_unresolved():
    told = recorded(row(None, "unresolved", {"authority": "rule", "leading": ["a", "b"]}))
    assert told.endswith("Unresolved, leading a, b.")


def test_what_is_not_decided_is_not_told_as_decided():
    assert recorded(row(None, "open", None)).endswith("Not decided when the tables were last written: open.")


def test_a_withdrawn_one_is_told_as_such():
    told = row(None, "withdrawn", None)
    told["state"]["withdrawn"] = {"reason": "no longer ours"}
    assert recorded(told).endswith("Withdrawn, nothing is decided: no longer ours")


def test_what_ended_without_an_outcome_is_said_to_wait_for_nothing():
    told = recorded(row(None, "open", None))
    ended = without_outcome(told, "terminated")
    assert "Not decided" not in ended
    assert ended.endswith("Its workflow was terminated: no outcome is on the log, and none will follow.")
    assert without_outcome(told, None) == told


def test_a_list_shows_how_an_open_one_ended():
    listed = {"stream": "consensus/q", "status": "open", "consensus": None, "agreement": None}
    shown = [rows([{**listed, "question": "Which?", "ended": how}], 20, 100) for how in (None, "terminated")]
    assert (" open " in shown[0], " terminated " in shown[0]) == (True, False)
    assert (" open " in shown[1], " terminated " in shown[1]) == (False, True)


def test_a_list_shows_two_thirds_as_the_reason_does():
    listed = {"stream": "consensus/q", "status": "unresolved", "consensus": None, "agreement": 0.666666667}
    assert " 0.6666 " in rows([listed | {"question": "Which?", "ended": None}], 20, 100)


def test_a_list_keeps_streams_whole_and_cuts_the_question_to_the_terminal():
    listed = {"status": "open", "consensus": None, "agreement": None, "question": "Why? " * 40, "ended": None}
    streams = [f"consensus/inspection-of-the-northern-approach-{n}" for n in (1, 2)]
    shown = rows([listed | {"stream": stream} for stream in streams], 2, 100).splitlines()
    assert [line.split()[0] for line in shown[1:3]] == streams
    assert max(map(len, shown)) == 100
    assert shown[3:] == ["the newest 2; --limit shows more"]
    assert len(rows([listed | {"stream": "consensus/q"}], 2, 100).splitlines()) == 2


def test_nobody_was_waited_for_where_all_ballots_were_recorded():
    decided = {"id": "q", "status": "consensus", "consensus": "a", "agreement": 1.0, "rounds_required": 1}
    decided |= {"participating_nodes": ["v"], "panel": ["v"], "authority": "consensus", "reason": "all"}
    assert "1 of 1 voted, at once\n" in outcome(decided | {"time_to_consensus": 0.0})
    assert "1 of 1 voted, 2.500 s\n" in outcome(decided | {"time_to_consensus": 2.5})
