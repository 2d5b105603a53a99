"""The parts of a cycle's workflow that need no server: hosts, shards, what is carried, what is shown."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from temporalio.exceptions import (
    ActivityError,
    ApplicationError,
    CancelledError,
    RetryState,
    TimeoutType,
)
from temporalio.exceptions import TimeoutError as TimedOut

from activities.learning_tasks import Course, HostClients, TrainReports
from domain.learning import decide
from domain.learning.events import Loss, Member
from domain.learning.outcome import RoundFigures
from domain.learning.policy import PrivacySpec
from domain.learning.state import NO_CYCLE
from domain.refusal import Refusal
from tests.unit.domain.learning.cycles import REQUEST, Cycle, lost, ref, report
from workflows import learning_text
from workflows.learning_answers import believed, losses
from workflows.learning_carry import Carried, CycleInput, carrying, packed, unpacked
from workflows.learning_hosts import _lost, batches, hosts_of, only
from workflows.payloads import MAX_INPUT_BYTES, Payloads, read_input

COURSE = Course((), (), individual=True, client="epochs")


@given(
    st.lists(
        st.tuples(st.integers(0, 400), st.sampled_from("hgk")), unique_by=lambda one: one[0], max_size=400
    )
)
def test_every_member_is_asked_once_and_no_shard_is_of_more_than_a_hundred(drawn):
    cohort = [Member(f"c{n}", host, "eu") for n, host in drawn]
    hosts = hosts_of(cohort)
    asked = [(client, one.host) for one in hosts for client in one.clients]
    assert sorted(asked) == sorted((member.client, member.host) for member in cohort)
    parts = [*batches(hosts)]
    assert [one for part in parts for one in part] == [*hosts]
    assert all(0 < sum(len(one.clients) for one in part) <= 100 for part in parts)


def test_hosts_keep_those_clients_that_are_left():
    hosts = (HostClients("g", ("a", "b")), HostClients("h", ("c",)))
    assert only(hosts, frozenset("b")) == (HostClients("g", ("b",)),)


def test_a_host_is_believed_for_its_own_clients_and_once():
    told = TrainReports(
        (report("a"), report("a"), report("f")), (Loss("b", "late"), Loss("a", "late"), Loss("y", "late"))
    )
    assert believed(told, ("a", "b", "c"), PrivacySpec()) == TrainReports(
        (report("a"),), (Loss("b", "late"), Loss("c", "failed", "the host said nothing of it"))
    )


def test_a_report_that_is_impossible_loses_its_client_alone():
    told = TrainReports((report("a"), report("b", samples=10**18)))
    assert believed(told, ("a", "b"), PrivacySpec()) == TrainReports(
        (report("a"),), (Loss("b", "refused", "its report is impossible: samples"),)
    )


def test_the_words_of_a_host_are_short_and_harmless_on_the_record():
    said = (Loss("a", "failed", "\x1b[2J" + "x" * 300), Loss("z", "late"), Loss("a", "late"))
    (kept,) = losses(said, {"a"})
    assert kept.why == "failed"
    assert kept.reason.startswith("\\x1b[2Jx")
    assert len(kept.reason) < 210


def failed(cause):
    error = ActivityError(
        "failed",
        scheduled_event_id=1,
        started_event_id=2,
        identity="",
        activity_type="train_round",
        activity_id="1",
        retry_state=RetryState.TIMEOUT,
    )
    error.__cause__ = cause
    return error


def timed_out(kind):
    return TimedOut("", type=kind, last_heartbeat_details=[])


@pytest.mark.parametrize(
    ("cause", "loss"),
    [
        (timed_out(TimeoutType.SCHEDULE_TO_START), Loss("a", "unreachable")),
        (timed_out(TimeoutType.SCHEDULE_TO_CLOSE), Loss("a", "late")),
        (timed_out(TimeoutType.HEARTBEAT), Loss("a", "late")),
        (ApplicationError("model: no", non_retryable=True), Loss("a", "refused", "model: no")),
        (ApplicationError("it\x1bbroke"), Loss("a", "failed", "it\\x1bbroke")),
    ],
)
def test_why_nothing_came_of_a_host_is_named(cause, loss):
    assert _lost(failed(cause), ("a",)) == (loss,)


def test_a_cancellation_is_no_loss():
    with pytest.raises(ActivityError):
        _lost(failed(CancelledError("")), ("a",))


def second_round():
    return Cycle().opened().heard(report("a"), report("b"), lost("c")).aggregated().round()


def test_what_is_carried_is_the_state_again():
    state = second_round().state
    carried = packed(state, COURSE, (ref("5"),))
    given_ = carrying(REQUEST, carried)
    (read,) = Payloads().from_payloads(Payloads().to_payloads([given_]), [CycleInput])
    assert read.request == REQUEST
    assert unpacked(read.carried) == state
    assert read.carried.session == ref("5")


def test_a_request_is_read_as_one():
    read = read_input(CycleInput, b'{"id": "c", "model": "m", "trainer": {"name": "mlp"}}')
    assert (read.carried, read.request.cohort.minimum) == (None, 100)


def test_a_thousand_rounds_of_a_thousand_clients_are_carried_in_one_payload():
    figures = tuple(
        RoundFigures(n, 1 / (n + 1), 1 - 1 / (n + 3), 1 / (n + 7), 1000, 997, 7 * n, 991 * n, n / 1009)
        for n in range(1000)
    )
    cohort = tuple(Member(f"client-{n:05}", f"host-{n % 40}", "eu-north") for n in range(1000))
    state = second_round().state
    state = replace(
        state,
        figures=figures,
        attempts=(1,) * 1000,
        participants=frozenset(f"client-{n:05}" for n in range(10_000)),
        round=replace(state.round, cohort=cohort),
    )
    carried = packed(state, COURSE, (ref("5"),))
    assert unpacked(carried) == state
    (payload,) = Payloads().to_payloads([carrying(REQUEST, carried)])
    assert len(payload.data) < MAX_INPUT_BYTES


@pytest.mark.parametrize("state", ["", "!", "eJwDAAAAAAE=", "eJyrrgUAAXUA+Q=="])
def test_a_state_made_by_hand_is_refused(state):
    with pytest.raises(Refusal, match="carried: is no state of a cycle"):
        unpacked(Carried(state + "x" * (state == "!"), COURSE, None))


def test_a_cycle_is_shown_as_it_stands():
    assert learning_text.table(NO_CYCLE, "preparing") == "**preparing**"
    assert learning_text.explanation(NO_CYCLE, "preparing") == "Nothing was opened yet."
    cycle = second_round()
    shown = learning_text.table(cycle.state, "training")
    assert "**training** · round 2 of 2 · `m` by `logistic-regression`, `fedavg`, privacy `none`" in shown
    assert "Round 2: 4 of 4 eligible were asked." in shown
    assert "| 1 | 0.4000 | 0.9000 | 0.1000 | 2 / 4 | 200 / 800 | - |" in shown
    assert learning_text.summary(cycle.state, "training", (1, 2)) | {"digest": 0} == {
        "status": "training",
        "round": 2,
        "rounds": 2,
        "attempt": 1,
        "asked": 4,
        "reported": 1,
        "lost": 2,
        "participants": 2,
        "insights_aggregated": 2,
        "privacy_level": "none",
        "digest": 0,
        "loss": 0.4,
        "accuracy": 0.9,
        "version": None,
    }
    assert learning_text.summary(NO_CYCLE, "preparing")["rounds"] is None


def test_how_a_cycle_ended_is_told():
    again = Cycle().opened()
    again.when(decide.abandon(again.state, 1, 1, "x"))
    assert "No round is open; 0 became a model." in learning_text.table(again.state, "training")
    again.round()
    assert "Round 1, attempt 2:" in learning_text.explanation(again.state, "training")
    again.when(decide.abandon(again.state, 1, 2, "too few came"))
    assert (
        "It failed: round 1 was abandoned 2 times, at last since too few came"
        in learning_text.explanation(again.state, "failed")
    )
    gone = Cycle().opened()
    gone.when(decide.withdraw(gone.state, ""))
    assert "It was withdrawn: no reason was given" in learning_text.explanation(gone.state, "withdrawn")
    done = second_round().heard(report("a"), report("b")).aggregated()
    done.when(decide.close(done.state, "v1.0"))
    told = learning_text.explanation(done.state, "closed")
    assert "It was published as v1.0, model digest 222222222222." in told
    assert "Round 2: 2 of 4 asked entered; loss 0.4000, accuracy 0.9000, drift 0.1000." in told
