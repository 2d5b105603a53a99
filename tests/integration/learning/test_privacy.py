"""Every privacy method inside a real cycle: what it comes to, whom it outlives, what it refuses."""

import asyncio
from datetime import timedelta

import pytest
from temporalio.client import WorkflowFailureError

from audit.learning_evidence import CHECKED
from audit.replay import replay_stream
from domain.learning.budget.events import BudgetCharged
from domain.learning.budget.state import CLOSED, fold_all
from domain.learning.events import CycleFailed, RoundAbandoned, RoundAggregated, RoundOpened, UpdatesCollected
from domain.stream import budget_stream, learning_stream
from eventlog.codec import decode
from eventlog.reader import LogReader
from tests.integration.learning.private import Working, private
from workflows import learning_hosts

pytest.importorskip("dp_accounting")
pytest.importorskip("tenseal")
TEN = {"share": 1, "minimum": 6, "size": 10}
LOUD = {"epsilon": 40.0, "budget": 1_000.0, "clip": 2.0}
METHODS = {
    "central": ({"method": "differential_privacy", **LOUD}, "central_dp"),
    "adaptive": ({"method": "differential_privacy", "clipping": "adaptive", **LOUD}, "central_dp"),
    "local": ({"method": "differential_privacy", "place": "local", **LOUD, "epsilon": 900.0}, "local_dp"),
    "masks": ({"method": "secure_mpc", "clip": 8.0}, "secure_sum"),
    "hybrid": ({"method": "hybrid", **LOUD}, "secure_sum_with_dp"),
    "ckks": ({"method": "homomorphic_encryption", "key_holder": "c003", "clip": 8.0}, "encrypted_sum"),
}


async def refusal_of(ten, **asked):
    request = await ten.request(**asked)
    with pytest.raises(WorkflowFailureError) as failure:
        await ten.run(request)
    return str(failure.value.cause), request


async def audited(ten, request):
    async with LogReader(*ten.kafka) as reader:
        return await replay_stream(reader, learning_stream(request["id"]), ten.grounds(reader))


def keys_of(ten, *prefixes):
    journals = (ten.aggregator, *ten.journals.values())
    return [key for one in journals for key in one.entries if key.startswith(prefixes)]


@pytest.mark.parametrize("name", METHODS)
async def test_every_method_trains_says_what_holds_and_can_be_audited(fleet, name):
    privacy, level = METHODS[name]
    async with Working(await private(fleet)) as ten:
        await ten.announce()
        noised = "epsilon" in privacy
        privacy = privacy | ({"ledger": f"l-{ten.name}"} if noised else {})
        request = await ten.request(rounds=2, cohort=TEN, privacy=privacy)
        found = await ten.run(request)
        replayed = await audited(ten, request)
        events = [event.data for event in await ten.stream(request["id"])]
    first, last = found["evolution_metrics"]
    assert last["loss"] < first["loss"] < 2.31
    assert found["privacy_level"] == level
    made = [one for one in events if isinstance(one, RoundAggregated)]
    reports = [report for one in events if isinstance(one, UpdatesCollected) for report in one.reports]
    assert {report.loss for report in reports} == {None}
    assert ({report.samples for report in reports} == {1}) is noised
    assert all((one.privacy.epsilon is not None) is noised for one in made)
    if noised:
        assert 0 < made[0].privacy.epsilon < made[1].privacy.epsilon <= privacy["epsilon"]
    assert all((one.privacy.clip is not None) is (name == "adaptive") for one in made)
    assert replayed.divergent == []
    if name == "local":
        assert replayed.learned.models == 2
    else:
        assert [one.why.partition("; ")[2] for one in replayed.learned.unproven] == [CHECKED, CHECKED]
    assert not keys_of(ten, "attempt/", "aggregator/")
    assert bool(keys_of(ten, "over/")) is (level not in ("central_dp", "local_dp"))


async def test_a_cycle_whose_cohorts_are_drawn_by_lots_charges_all_who_could_be_drawn_once_for_its_chances(
    fleet,
):
    async with Working(await private(fleet)) as ten:
        privacy = {"method": "differential_privacy", "sampling": "secret", "ledger": f"l-{ten.name}"}
        privacy |= {
            "noise_multiplier": 2.0,
            "budget": 50.0,
        }  # to find noise for an epsilon takes seconds here
        lots = {"share": 1, "minimum": 2, "size": 5, "attempts": 9}
        request = await ten.request(rounds=3, cohort=lots, privacy=privacy)
        await ten.announce()
        found = await ten.run(request)
        replayed = await audited(ten, request)
        events = [event.data for event in await ten.stream(request["id"])]
        async with LogReader(*ten.kafka) as reader:
            ledger = [decode(one.value).data for one in await reader.stream(budget_stream(privacy["ledger"]))]
    asked = [tuple(member.client for member in one.cohort) for one in events if isinstance(one, RoundOpened)]
    assert len(set(map(len, asked))) > 1  # each has a lot of its own, so that cohorts are not of one size
    assert {one.eligible for one in events if isinstance(one, RoundOpened)} == {10}
    made = [one for one in events if isinstance(one, RoundAggregated)]
    assert len(made) == 3
    assert 0 < made[0].privacy.epsilon < made[1].privacy.epsilon < made[2].privacy.epsilon < 50
    (charged,) = [one for one in ledger if isinstance(one, BudgetCharged)]
    assert (charged.id, charged.mechanism.sampling, charged.mechanism.count) == (request["id"], 0.5, 3)
    assert [one.subjects for one in charged.spent] == [tuple(sorted(ten.rows))]
    assert charged.spent[0].after == pytest.approx(made[2].privacy.epsilon)
    assert (found["privacy_level"], replayed.divergent) == ("central_dp", [])


async def test_two_nodes_that_die_on_the_way_leave_the_sum_of_the_rest(fleet, monkeypatch):
    monkeypatch.setattr(learning_hosts, "MESSAGE", timedelta(seconds=3))
    monkeypatch.setattr(learning_hosts, "GRACE", timedelta(seconds=1))
    gone = {("c000", "protect"), ("c001", "survivors")}
    ten = await private(fleet, gone=gone, hosts=10)
    hidden = {"rounds": 1, "cohort": TEN, "local": {"learning_rate": 0.5, "seconds": 8}}
    async with Working(ten):
        masked = await ten.run(await ten.request(**hidden, privacy={"method": "secure_mpc", "clip": 8.0}))
        ten.roster.there = ten.roster.there[1:]
        ten.versions.known.clear()
        plain = await ten.run(await ten.request(rounds=1, cohort={"share": 1, "minimum": 6, "size": 9}))
    assert masked["participants"] == plain["participants"] == 9
    one, other = masked["evolution_metrics"][0], plain["evolution_metrics"][0]
    assert one["loss"] == pytest.approx(other["loss"], abs=1e-6)
    assert one["accuracy"] == other["accuracy"]


async def test_clients_whose_messages_are_none_are_dropped_by_name_and_the_rest_makes_its_sum(fleet):
    cut = {("c000", "keys"), ("c001", "shares"), ("c002", "survivors")}
    async with Working(await private(fleet, cut=cut)) as ten:
        hidden = {"method": "secure_mpc", "clip": 8.0, "threshold": 0.51}
        request = await ten.request(rounds=1, cohort=TEN, privacy=hidden)
        found = await ten.run(request)
        events = [event.data for event in await ten.stream(request["id"])]
    assert not [one for one in events if isinstance(one, RoundAbandoned)]
    lost = {loss.client: loss for one in events if isinstance(one, UpdatesCollected) for loss in one.lost}
    assert {client: (loss.why, loss.reason.partition(",")[0]) for client, loss in lost.items()} == {
        "c000": ("refused", "keys: they have 127 bytes"),
        "c001": ("refused", "message: 415 bytes are not entries of 52; the message was cut or changed"),
    }
    assert found["participants"] == 8  # c002 sent its update, and only its word on the others is missing


async def test_a_cohort_of_more_than_a_hundred_makes_a_sum_for_each_shard(fleet):
    many = {"share": 1, "minimum": 101, "size": 104}
    ten = await private(fleet, clients=104, hosts=4)
    await ten.announce()
    async with Working(ten):
        request = await ten.request(rounds=1, cohort=many, privacy={"method": "secure_mpc", "clip": 8.0})
        masked = await ten.run(request)
        replayed = await audited(ten, request)
        ten.versions.known.clear()
        plain = await ten.run(await ten.request(rounds=1, cohort=many))
        loss = [found["evolution_metrics"][0]["loss"] for found in (masked, plain)]
    assert masked["participants"] == 104
    assert loss[0] == pytest.approx(loss[1], abs=1e-6)
    assert replayed.divergent == []
    assert not keys_of(ten, "attempt/", "aggregator/")


async def test_a_budget_that_is_too_small_ends_a_cycle_before_any_noise_is_drawn(fleet):
    async with Working(await private(fleet)) as ten:
        dp = {"method": "differential_privacy", "ledger": f"l-{ten.name}"}
        said, _ = await refusal_of(ten, cohort=TEN, privacy={**dp, "epsilon": 3.0})
        assert "privacy.budget: 3 rounds cost everybody 3 epsilon, and a budget is 1;" in said
        assert not keys_of(ten, "dp/")
        six = {"share": 1, "minimum": 6, "size": 6}
        once = {**dp, "noise_multiplier": 5.0}
        said, request = await refusal_of(ten, rounds=2, cohort=six, privacy=once)
        assert "privacy.budget: before round 2 c00" in said
        assert "of 1 epsilon on the ledger" in said
        assert f"dp/release/{request['id']}/1/1/0/sum" in ten.aggregator.entries
        assert not [key for key in keys_of(ten, "dp/release") if "/2/1/" in key]
        (*_, last) = await ten.stream(request["id"])
        assert (type(last.data), last.data.round) == (CycleFailed, 2)


async def test_two_cycles_cannot_overspend_one_ledger(fleet):
    async with Working(await private(fleet)) as ten:
        dp = {"method": "differential_privacy", "ledger": f"l-{ten.name}", "noise_multiplier": 5.0}
        asked = [await ten.request(rounds=1, cohort=TEN, privacy=dp, model=f"m{n}") for n in (1, 2)]
        told = await asyncio.gather(*map(ten.run, asked), return_exceptions=True)
        async with LogReader(*ten.kafka) as reader:
            found = [decode(record.value) for record in await reader.stream(budget_stream(dp["ledger"]))]
    assert sorted(isinstance(one, WorkflowFailureError) for one in told) == [False, True]
    spent = {account.epsilon for account in fold_all(CLOSED, found).accounts.values()}
    assert len(spent) == 1
    assert 0.5 < spent.pop() <= 1.0


IMPOSSIBLE = (
    ({"method": "magic"}, "Unknown privacy method: 'magic'"),
    ({"method": "secure_mpc", "epsilon": 1.0}, "privacy.epsilon: secure_mpc adds no noise"),
    ({"method": "differential_privacy"}, "privacy.epsilon: differential_privacy needs it"),
    ({"method": "homomorphic_encryption"}, "privacy.key_holder: is missing"),
    ({"method": "homomorphic_encryption", "key_holder": "nobody"}, "nobody is not among the 10 eligible"),
    ({"method": "hybrid", "epsilon": 1.0, "clipping": "adaptive"}, "privacy.clipping: adaptive"),
    ({"method": "hybrid", "epsilon": 1.0, "place": "local"}, "privacy.place: with hybrid"),
    ({"method": "hybrid", "epsilon": 1.0, "sampling": "secret"}, "privacy.sampling: with hybrid"),
)


async def test_what_cannot_be_had_together_is_refused_at_once_by_name(fleet):
    async with Working(await private(fleet)) as ten:
        for privacy, told in IMPOSSIBLE:
            assert told in (await refusal_of(ten, cohort=TEN, privacy=privacy))[0]
        masked = {"method": "secure_mpc"}
        two = {"share": 1, "minimum": 2, "size": 2}
        assert "cohort.minimum: with secure_mpc" in (await refusal_of(ten, cohort=two, privacy=masked))[0]
        krum = {"name": "krum"}
        said, _ = await refusal_of(ten, cohort=TEN, strategy=krum, privacy=masked)
        assert "krum needs each client's update, which secure_mpc hides" in said
