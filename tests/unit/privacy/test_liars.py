"""What lying clients of a secure sum cost: themselves, or the attempt; never the cycle."""

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from numpy.random import PCG64, Generator

from activities.privacy.port import RoundLost
from activities.privacy.primitives import LOW_ORDER, agree
from activities.privacy.terms import Terms
from activities.privacy.wire import RoundKeys
from domain.learning.policy import PrivacySpec
from domain.refusal import Refusal
from tests.unit.privacy.fleets import Fleet, plain_sum
from tests.unit.privacy.test_refusals import LOOSE, changing, flipped


def by_nobody(message):
    """A client's keys, signed by somebody else."""
    return message[:-64] + Ed25519PrivateKey.generate().sign(message[:-64])


@pytest.mark.parametrize(
    ("step", "alter", "problem"),
    [
        ("keys answered", lambda m: m + b"\0", "keys: they have 129 bytes, not 128"),
        ("keys answered", lambda _: b"", "keys: they have 0 bytes, not 128"),
        (
            "keys answered",
            flipped,
            "keys: they are not signed, for this attempt, by its identity in the roster",
        ),
        (
            "keys answered",
            by_nobody,
            "keys: they are not signed, for this attempt, by its identity in the rost",
        ),
        ("keys answered", lambda m: bytes(32) + m[32:], "keys: one gives no secret"),
        ("shares answered", lambda m: m[1:], "message: 207 bytes are not entries of 52; the message was cut"),
        ("shares answered", lambda m: m[52:] + m[:52], "message: names clients out of order"),
        (
            "survivors answered",
            lambda m: m[1:],
            "message: 71 bytes are not entries of 18; the message was cut",
        ),
    ],
)
async def test_who_sends_a_message_that_is_none_is_dropped_by_name_and_stops_nobody(step, alter, problem):
    fleet = await Fleet(5, LOOSE).begin(attempt=2)
    drive = fleet.drive(change=changing(step, "c00", alter))
    made = await drive.run(fleet.updates)
    assert list(drive.dropped) == ["c00"]
    assert drive.dropped["c00"].startswith(problem)
    there = [client for client in fleet.cohort if client != "c00" or step == "survivors answered"]
    total, weight = plain_sum([fleet.updates[client] for client in there])
    assert (made.clients, made.weight) == (tuple(there), weight)
    assert made.total["bias"] == pytest.approx(total["bias"], abs=1e-4)


async def test_in_a_first_attempt_a_forger_is_found_by_each_who_is_given_its_keys():
    fleet = await Fleet(5, LOOSE).begin()
    said = await fleet.drive().rounds(("keys",), dict.fromkeys(fleet.cohort, b""))
    passed = fleet.aggregator.route("shares", fleet.session, said | {"c00": by_nobody(said["c00"])})
    for client in fleet.cohort[1:]:
        with pytest.raises(Refusal, match=r"keys of c00: are not signed, for this attempt, by its identity"):
            await fleet.nodes[client].exchange("shares", fleet.session, passed.inboxes[client])


async def test_two_clients_with_one_key_are_both_dropped_since_everybody_would_refuse_them():
    fleet = await Fleet(6, PrivacySpec("secure_mpc", threshold=0.51)).begin()
    keys = {}
    terms = Terms.of(fleet.session)

    def copied(step, client, message):
        if step == "keys answered":
            keys[client] = message
            if client == "c01":
                said = RoundKeys.statement(terms.digest, 1, keys["c00"][:32], message[32:64])
                return keys["c00"][:32] + message[32:64] + fleet.keys["c01"].sign(said)
        return message

    drive = fleet.drive(change=copied)
    made = await drive.run(fleet.updates)
    assert drive.dropped == dict.fromkeys(
        ("c00", "c01"), "keys: one is there twice, and no two clients have the same"
    )
    assert made.clients == fleet.cohort[2:]


async def test_with_too_many_dropped_the_first_of_them_is_named():
    fleet = await Fleet(4).begin(attempt=2)
    change = changing("keys answered", "c01", flipped)
    alone = PrivacySpec("secure_mpc", threshold=0.9)
    fleet.session = replace(fleet.session, spec=alone)
    with pytest.raises(
        RoundLost, match="3 of 4 clients are left, and 4 are needed; c01: keys: they are not signed"
    ):
        await fleet.drive(change=change).run(fleet.updates)


@pytest.mark.parametrize("key", sorted(LOW_ORDER), ids=lambda key: key.hex()[:6] + key.hex()[-2:])
def test_a_key_of_low_order_gives_no_secret(key):
    with pytest.raises(Refusal, match="is no key of X25519"):
        agree(X25519PrivateKey.generate(), key, "key")


@pytest.mark.parametrize(
    ("step", "alter"), [("unmask answered", flipped), ("protected", lambda m: flipped(m, -90))]
)
async def test_a_reveal_that_cannot_be_opened_is_passed_over_while_enough_others_can(step, alter):
    fleet = await Fleet(5, LOOSE).begin()
    made = await fleet.drive(change=changing(step, "c00", alter)).run(fleet.updates)
    assert (made.clients, made.weight) == (fleet.cohort, plain_sum(fleet.updates.values())[1])


async def test_too_few_reveals_that_can_be_opened_lose_the_attempt_and_the_last_is_named():
    fleet = await Fleet(5, LOOSE).begin()

    def change(step, client, message):
        return flipped(message) if step == "unmask answered" and client in ("c00", "c03") else message

    with pytest.raises(RoundLost, match="reveal of c03: was changed, or is for other survivors"):
        await fleet.drive(change=change).run(fleet.updates)


@pytest.mark.parametrize("seed", range(8))
async def test_words_that_are_no_masked_update_lose_the_attempt(seed):
    fleet = await Fleet(5, LOOSE).begin()
    words = Generator(PCG64(seed)).bytes(48)
    change = changing("protected", "c00", lambda m: words + m[48:])
    with pytest.raises(RoundLost, match="the masks did not cancel"):
        await fleet.drive(change=change).run(fleet.updates)


@pytest.mark.parametrize("sent", [b"", b"junk", bytes(143), bytes(145)])
async def test_a_client_that_sends_no_masked_words_is_out_and_stops_nobody(sent):
    fleet = await Fleet(5, LOOSE).begin()
    made = await fleet.drive(change=changing("protected", "c00", lambda _: sent)).run(fleet.updates)
    honest = [client for client in fleet.cohort if client != "c00"]
    assert made.clients == tuple(honest)
    _, weight = plain_sum([fleet.updates[client] for client in honest])
    assert made.weight == weight


async def test_an_excess_in_one_number_is_noticed_though_the_weights_add_up():
    fleet = await Fleet(5, LOOSE).begin()
    change = changing("protected", "c00", lambda m: m[:3] + bytes([m[3] ^ 0x80]) + m[4:])
    with pytest.raises(RoundLost, match="the masks did not cancel"):
        await fleet.drive(change=change).run(fleet.updates)


async def test_masks_that_do_not_cancel_are_noticed():
    fleet = await Fleet(5, LOOSE).begin()
    top_of_the_weight = 11 * 4 + 3
    change = changing("protected", "c00", lambda m: flipped(m, top_of_the_weight))
    with pytest.raises(Refusal, match="the masks did not cancel"):
        await fleet.drive(change=change).run(fleet.updates)
