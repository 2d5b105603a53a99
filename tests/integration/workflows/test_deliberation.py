"""Deliberations as they are held: recorded, live, sealed, escalated, and across a worker's death."""

import asyncio
import json

import pytest
from temporalio.client import WorkflowQueryFailedError, WorkflowUpdateFailedError

from domain.consensus.events import BallotCast, BallotSealed, Decided, MediationGiven, Opened, RoundClosed
from domain.consensus.possible import commitment
from domain.consensus.state import NOT_OPENED, fold
from domain.reasoning.verdict import Verdict
from tests.fakes.event_log import HeldLog
from tests.integration.workflows.conftest import DEADLINE, Moot
from workers import node as nodes

LIVE = {"round_seconds": 60, "threshold": 0.9}


def live(moot, *voters: str, **changes):
    panel = [{"id": voter, "kind": "external"} for voter in voters]
    return {
        "id": moot.id("live"),
        "question": "Which?",
        "options": ["a", "b", "c"],
        "voters": panel,
        "policy": LIVE,
        **changes,
    }


async def cast(handle, voter: str, choice: str | None, **more):
    return await handle.execute_update("cast_ballot", {"voter": voter, "choice": choice, **more})


async def refused(handle, update: str, *args) -> str:
    with pytest.raises(WorkflowUpdateFailedError) as failed:
        await handle.execute_update(update, args=args)
    return failed.value.cause.message


async def test_recorded_ballots_decide_with_one_append(moot, proposal):
    outcome = await moot.decide(proposal)
    assert (outcome["consensus"], outcome["status"], outcome["agreement"]) == ("a", "consensus", 0.8)
    assert (outcome["rounds_required"], len(outcome["participating_nodes"])) == (1, 5)
    assert outcome["event_ids"] == [event.id for event in moot.stream(proposal["id"])]
    assert moot.log.calls == 1


async def test_a_long_record_is_one_deliberation_although_its_stream_is_known_after_the_first_part(client):
    moot = Moot(client)
    moot.model.last_event = lambda stream: _last(moot, stream)
    voters = [{"id": f"v{n}", "ballots": [{"choice": "a"}]} for n in range(450)]
    for turn, voter in enumerate(voters[:2]):  # one of these two says b in each round before the last
        voter["ballots"] = [{"choice": "ab"[r < 7 and r % 2 == turn], "round": r} for r in range(1, 8)]
    policy = {"threshold": 1, "max_rounds": 7}
    proposal = {"id": moot.id(), "question": "Which?", "options": ["a", "b"], "voters": voters}
    async with moot.working():
        outcome = await moot.decide({**proposal, "policy": policy})
    assert (outcome["consensus"], outcome["rounds_required"]) == ("a", 7)
    assert moot.log.calls > 1
    assert outcome["event_ids"] == [event.id for event in moot.stream(proposal["id"])]


async def _last(moot, stream: str) -> str | None:
    events = moot.log.stream(stream)
    return events[-1].id if events else None


async def test_the_stream_folds_to_what_the_workflow_answered(moot, proposal):
    outcome = await moot.decide(proposal)
    events = moot.stream(proposal["id"])
    state = NOT_OPENED
    for event in events:
        state = fold(state, event)
    assert [event.version for event in events] == list(range(1, len(events) + 1))
    assert state.decided.consensus == outcome["consensus"]
    assert state.decided.time_to_consensus == outcome["time_to_consensus"]
    assert [type(event.data) for event in events] == [Opened, *[BallotCast] * 5, RoundClosed, Decided]


async def test_a_log_that_is_away_delays_the_decision_and_changes_nothing(moot, proposal):
    moot.log.away = 3
    outcome = await moot.decide(proposal)
    assert outcome["consensus"] == "a"
    assert len(moot.log.appended) == len(moot.stream(proposal["id"])) == 8


async def test_nobody_reads_a_ballot_of_an_open_round(moot):
    handle = await moot.start(proposal := live(moot, "x", "y"))
    receipt = await cast(handle, "x", "b", reason="the-secret-reason", confidence=0.7)
    on_record = [event.data for event in moot.stream(proposal["id"])]
    assert [type(data) for data in on_record] == [Opened, BallotSealed]
    assert on_record[1] == BallotSealed("x", 1, receipt["commitment"])
    seen = json.dumps([await handle.query("state"), await handle.query("explain")])
    assert "the-secret-reason" not in seen
    assert '"handed_in": ["x"]' in seen
    with pytest.raises(WorkflowQueryFailedError, match="tally: round 1 is sealed"):
        await handle.query("tally")
    await cast(handle, "y", "b")
    outcome = await handle.result()
    revealed = next(
        e.data for e in moot.stream(proposal["id"]) if isinstance(e.data, BallotCast) and e.data.voter == "x"
    )
    assert commitment(revealed) == receipt["commitment"]
    assert outcome["consensus"] == "b"


async def test_a_second_round_shows_the_first_and_records_a_changed_ballot(moot):
    handle = await moot.start(proposal := live(moot, "x", "y", "z"))
    for voter, choice in {"x": "a", "y": "a", "z": "b"}.items():
        await cast(handle, voter, choice, reason=f"{voter} says {choice}")
    await moot.until(handle, round=2)
    tally = await handle.query("tally")
    assert tally["leading"] == ["a"]
    assert tally["objections"] == [{"voter": "z", "choice": "b", "reason": "z says b"}]
    assert "z says b" in await handle.query("explain")
    assert tally["options"] == ["a", "b"]
    assert (
        await refused(handle, "cast_ballot", {"voter": "x", "choice": "c"})
        == "choice: 'c' is not an option of round 2"
    )
    for voter in "xyz":
        await cast(handle, voter, "a")
    outcome = await handle.result()
    assert (outcome["consensus"], outcome["rounds_required"]) == ("a", 2)
    changed = [
        e.data.voter for e in moot.stream(proposal["id"]) if isinstance(e.data, BallotCast) and e.data.changed
    ]
    assert changed == ["z"]


async def test_a_repeated_ballot_is_recorded_once_and_answered_alike(moot):
    handle = await moot.start(proposal := live(moot, "x", "y"))
    first = await cast(handle, "x", "a")
    assert await cast(handle, "x", "a") == first
    assert len(moot.stream(proposal["id"])) == 2


async def test_a_ballot_of_a_closed_round_is_answered_again_where_it_was_counted(moot):
    handle = await moot.start(proposal := live(moot, "x", "y"))
    receipt = await cast(handle, "x", "a", round=1, reason="so")
    await cast(handle, "y", "b")
    state = await moot.until(handle, round=2)
    assert state["handed_in"] == []
    assert await cast(handle, "x", "a", round=1, reason="so") == receipt
    for other in ({"choice": "b"}, {"choice": "a", "reason": "another"}):
        line = await refused(handle, "cast_ballot", {"voter": "x", "reason": "so", "round": 1, **other})
        assert line == "round: round 1 is not open, the open round is 2"
    assert (await cast(handle, "x", "a", reason="so"))["round"] == 2
    assert len([e for e in moot.stream(proposal["id"]) if isinstance(e.data, BallotSealed)]) == 3


async def test_an_equivocating_voter_stands_on_the_record_with_both_ballots(moot):
    handle = await moot.start(proposal := live(moot, "x", "y", "z"))
    assert not (await cast(handle, "x", "a"))["equivocates"]
    assert (await cast(handle, "x", "b"))["equivocates"]
    line = await refused(handle, "cast_ballot", {"voter": "x", "choice": "c"})
    assert line == "voter: x has two different ballots in round 1 already"
    await cast(handle, "y", "a")
    await cast(handle, "z", "a")
    outcome = await handle.result()
    ballots = [
        e.data.choice
        for e in moot.stream(proposal["id"])
        if isinstance(e.data, BallotCast) and e.data.voter == "x"
    ]
    assert ballots == ["a", "b"]
    assert outcome["consensus"] == "a"


@pytest.mark.parametrize(
    ("args", "line"),
    [
        ([{"voter": "nobody", "choice": "a"}], "voter: nobody is not on the panel"),
        (
            [{"voter": "r", "choice": "a"}],
            "voter: r is a recorded voter; only external voters cast ballots here",
        ),
        ([{"voter": "x", "choice": "q"}], "choice: 'q' is not an option of round 1"),
        ([{"voter": "x", "choice": "a", "round": 2}], "round: round 2 is not open, the open round is 1"),
        ([{"voter": "x", "choice": 1}], "choice: must be text"),
        ([{"voter": "x"}], "choice: is missing"),
        ([{"voter": "x", "choice": "a", "confidence": 2}], "confidence: 2.0 is outside 0 to 1"),
        (
            [{"voter": "x", "choice": "a", "colour": 1}],
            "colour: is not a field here; known are voter, choice, ",
        ),
        ([3], "input: must be an object"),
        ([], "input: cast_ballot takes one JSON object, 0 were given"),
        ([{"voter": "x", "choice": "a"}] * 2, "input: cast_ballot takes one JSON object, 2 were given"),
    ],
)
async def test_a_wrong_ballot_is_refused_by_name_and_not_recorded(moot, args, line):
    proposal = live(moot, "x", "y")
    proposal["voters"].append({"id": "r", "ballots": [{"choice": "a"}]})
    handle = await moot.start(proposal)
    await moot.until(handle, round=1)
    assert (await refused(handle, "cast_ballot", *args)).startswith(line)
    assert len(moot.stream(proposal["id"])) == 1


async def test_a_ballot_for_a_closed_round_and_one_after_the_end_are_refused(moot):
    handle = await moot.start(proposal := live(moot, "x", "y"))
    await cast(handle, "x", "a")
    await cast(handle, "y", "b")
    await moot.until(handle, round=2)
    line = await refused(handle, "cast_ballot", {"voter": "x", "choice": "b", "round": 1})
    assert line == "round: round 1 is not open, the open round is 2"
    await cast(handle, "x", "a")
    await cast(handle, "y", "a")
    await handle.result()
    with pytest.raises(Exception, match="already completed"):
        await cast(handle, "x", "a")
    assert isinstance(moot.stream(proposal["id"])[-1].data, Decided)


async def test_a_ballot_for_the_next_round_waits_while_the_last_one_is_being_closed(client):
    log = HeldLog("consensus/", of=RoundClosed)
    moot = Moot(client, log)
    async with moot.working():
        handle = await moot.start(live(moot, "x", "y"))
        await cast(handle, "x", "a")
        await cast(handle, "y", "b")
        await asyncio.wait_for(log.reached.wait(), DEADLINE)
        early = asyncio.create_task(cast(handle, "x", "a", round=2))
        line = await refused(handle, "cast_ballot", {"voter": "x", "choice": "a", "round": 3})
        assert line == "round: round 3 is not open, the open round is 1"
        log.go.set()
        assert (await early)["round"] == 2
        await cast(handle, "y", "a", round=2)
        assert (await handle.result())["rounds_required"] == 2


async def test_many_voters_at_once_are_all_counted(moot):
    voters = [f"v{n}" for n in range(25)]
    handle = await moot.start(live(moot, *voters))
    await asyncio.gather(*(cast(handle, voter, "a") for voter in voters))
    outcome = await handle.result()
    assert len(outcome["participating_nodes"]) == 25


async def test_a_reasoner_answers_on_its_node_and_a_wrong_answer_is_an_abstention(moot):
    class Reasons:
        name = "reasons"

        async def verdict(self, question):
            return Verdict("o1", 0.9, "seen") if question.voter == "good" else Verdict("z" * 5000, 7.0, "so")

    node = moot.id("node")
    voters = [{"id": name, "kind": "reasoner", "node": node} for name in ("good", "bad")]
    proposal = {**live(moot), "voters": voters, "policy": {"quorum": 0.5, "threshold": 0.6}}
    async with moot.thinking(node, Reasons()):
        outcome = await moot.decide(proposal)
    assert outcome["participating_nodes"] == ["good"]
    ballots = {e.data.voter: e.data for e in moot.stream(proposal["id"]) if isinstance(e.data, BallotCast)}
    assert (ballots["good"].choice, ballots["good"].confidence) == ("a", 0.9)
    assert ballots["bad"].choice is None
    assert ballots["bad"].reason.startswith("abstained: the answer is invalid: choice: ")


async def test_a_failing_reasoner_is_an_abstention_with_the_reason(moot):
    class Fails:
        name = "fails"

        async def verdict(self, question):
            raise RuntimeError(f"out of memory about {question.voter}")

    node = moot.id("node")
    proposal = {
        **live(moot),
        "voters": [{"id": "r", "kind": "reasoner", "node": node}],
        "policy": {"max_rounds": 1},
    }
    async with moot.thinking(node, Fails()):
        outcome = await moot.decide(proposal)
    assert (outcome["status"], outcome["consensus"]) == ("unresolved", None)
    ballot = moot.stream(proposal["id"])[1].data
    assert ballot.choice is None
    assert "out of memory about r" in ballot.reason


async def test_a_node_with_a_region_is_known_by_it(moot):
    at_work = nodes.worker(moot.client, "eu-1", None, "eu")
    assert at_work.config()["identity"] == "eu-1@eu"
    assert nodes.worker(moot.client, "eu-2").config()["identity"] is None  # the process and its host


async def test_a_node_that_is_gone_is_an_abstention_at_the_deadline(moot):
    # On the real server: the one that skips time stands still while an activity waits for its worker.
    proposal = live(moot, "x", policy={"round_seconds": 1.5, "max_rounds": 1, "threshold": 0.5})
    proposal["voters"].append({"id": "r", "kind": "reasoner", "node": moot.id("nowhere")})
    handle = await moot.start(proposal)
    await cast(handle, "x", "a")
    outcome = await handle.result()
    assert (outcome["consensus"], outcome["participating_nodes"]) == ("a", ["x"])
    ballots = {e.data.voter: e.data for e in moot.stream(proposal["id"]) if isinstance(e.data, BallotCast)}
    assert ballots["r"].choice is None
    assert ballots["r"].reason == f"abstained: node {proposal['voters'][1]['node']} gave no answer in time"


async def test_no_consensus_without_a_model_is_unresolved_and_says_so(moot, proposal):
    outcome = await moot.decide({**proposal, "policy": {"threshold": 1, "otherwise": "mediate"}})
    assert (outcome["consensus"], outcome["status"], outcome["authority"]) == (None, "unresolved", "rule")
    assert outcome["reason"].endswith("the mediator abstained")
    given = next(e.data for e in moot.stream(proposal["id"]) if isinstance(e.data, MediationGiven))
    assert "not understood" in given.statement


async def test_a_mediator_that_chooses_decides_under_its_own_authority(alone, proposal):
    class Chooses:
        name = "chooser"

        async def verdict(self, _question):
            return Verdict("o2", 0.9, "weighed", ("e1",))

    async with alone() as moot:
        moot.mediator = Chooses()
        moot.queue += "-mediated"
        async with moot.working():
            outcome = await moot.decide(
                {**proposal, "evidence": ["e1"], "policy": {"threshold": 1, "otherwise": "mediate"}}
            )
    assert (outcome["consensus"], outcome["status"], outcome["authority"]) == ("b", "mediated", "mediator")


async def test_a_person_rules_where_the_policy_asks_for_one(moot, proposal):
    handle = await moot.start({**proposal, "policy": {"threshold": 1, "otherwise": "person"}})
    await moot.until(handle, waits_for="person")
    line = await refused(handle, "rule", {"choice": "q", "reason": "r", "person": "judge"})
    assert line == "choice: 'q' is not an option of the proposal"
    assert await handle.execute_update("rule", {"choice": "b", "reason": "my own", "person": "judge"})
    outcome = await handle.result()
    assert (outcome["consensus"], outcome["status"], outcome["authority"]) == (
        "b",
        "ruled_by_person",
        "person",
    )
    assert outcome["reason"] == "my own"


async def test_a_ruling_that_nobody_asked_for_is_refused(moot):
    handle = await moot.start(live(moot, "x"))
    await moot.until(handle, round=1)
    line = await refused(handle, "rule", {"choice": "a", "reason": "r", "person": "me"})
    assert line.startswith("rule: no ruling is awaited")


async def test_a_deliberation_goes_on_under_another_worker(alone):
    async with alone() as moot:
        proposal = live(moot, "x", "y")
        handle = await moot.start(proposal)
        receipt = await cast(handle, "x", "a")
    async with moot.working():
        assert await cast(handle, "x", "a") == receipt
        await cast(handle, "y", "a")
        outcome = await handle.result()
    assert outcome["consensus"] == "a"
    assert outcome["event_ids"] == [event.id for event in moot.stream(proposal["id"])]


async def test_every_step_may_be_replayed_from_its_history(alone):
    async with alone(cached=0) as moot:
        proposal = live(moot, "x", "y")
        handle = await moot.start(proposal)
        await cast(handle, "x", "a")
        await cast(handle, "y", "b")
        await moot.until(handle, round=2)
        await cast(handle, "x", "a")
        await cast(handle, "y", "a")
        outcome = await handle.result()
    assert outcome["rounds_required"] == 2
    # A starved worker misses its heartbeat and appends again what it appended, under the same ids.
    written = {(event.version, event.id) for _, event in moot.log.appended}
    assert sorted(version for version, _ in written) == list(range(1, len(outcome["event_ids"]) + 1))


async def test_the_ui_shows_a_live_table_in_which_user_text_is_inert(moot, proposal):
    hostile = {**proposal, "question": "# <script>| [x](http://e.vil)"}
    await moot.decide(hostile)
    handle = moot.client.get_workflow_handle(f"consensus/{proposal['id']}")
    details = (await handle.query("__temporal_workflow_metadata")).current_details
    assert "| 1 | a | 0.8000 | 5 | 0 | threshold |" in details
    assert "\\# \\<script\\>\\| \\[x\\]\\(http\\:" in details


async def test_lists_can_be_filtered_by_kind_region_and_status(moot, proposal):
    await moot.decide({**proposal, "region": "eu"})
    described = await moot.client.get_workflow_handle(f"consensus/{proposal['id']}").describe()
    attributes = {pair.key.name: pair.value for pair in described.typed_search_attributes}
    assert attributes["FolkmootKind"] == "consensus"
    assert attributes["FolkmootRegion"] == "eu"
    assert attributes["FolkmootStatus"] == "consensus"
