"""What a client of a secure sum will not do, also not after a restart."""

import base64
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from activities.privacy.wire import bitmap
from domain.learning.policy import PrivacySpec
from domain.refusal import Refusal
from tests.unit.privacy.fleets import Fleet, announced, update_of

LOOSE = PrivacySpec("secure_mpc", threshold=0.6)
"""Of five clients, four are needed."""


def flipped(message, at=-1):
    changed = bytearray(message)
    changed[at] ^= 1
    return bytes(changed)


def changing(step, client, alter):
    """Alter one message on its way."""

    def change(at, whose, message):
        return alter(message) if (at, whose) == (step, client) else message

    return change


async def masked(fleet):
    """An attempt as far as masked updates; what they are."""
    drive = fleet.drive()
    answers = await drive.rounds(drive.method.before, dict.fromkeys(fleet.cohort, b""))
    assert len(answers) == fleet.count
    for client, node in fleet.nodes.items():
        drive.protected[client] = (await node.protect(fleet.session, fleet.updates[client])).content
    return drive


async def confirmed(fleet, survivors):
    """As far as confirmations of these survivors; what each survivor is told of the others'."""
    drive = await masked(fleet)
    there = {client: drive.protected[client] for client in survivors}
    told = await drive.rounds(("survivors",), there)
    return drive, fleet.aggregator.route("unmask", fleet.session, told).inboxes


async def test_the_same_update_again_gives_the_same_bytes_also_after_a_restart():
    fleet = await Fleet(4).begin()
    drive = await masked(fleet)
    client = fleet.cohort[0]
    again = await fleet.restart(client).protect(fleet.session, fleet.updates[client])
    assert again.content == drive.protected[client]
    assert again.level == "secure_sum"


async def test_a_second_update_is_not_masked_in_an_attempt():
    fleet = await Fleet(4).begin()
    await masked(fleet)
    client = fleet.cohort[0]
    for node in (fleet.nodes[client], fleet.restart(client)):
        with pytest.raises(Refusal, match="two under one mask would show their difference"):
            await node.protect(fleet.session, update_of(client, 99))


async def test_another_attempt_masks_another_update_under_other_masks():
    fleet = await Fleet(4).begin()
    first = await masked(fleet)
    second = await masked(await fleet.begin(attempt=2))
    for client in fleet.cohort:  # the same updates: were a mask the same, words would be
        one, other = first.protected[client], second.protected[client]
        words = [slice(at, at + 4) for at in range(0, 48, 4)]
        assert not any(one[word] == other[word] for word in words)


async def test_every_message_is_the_same_when_it_is_asked_for_again_after_a_restart():
    fleet = await Fleet(4).begin()
    answers = {}

    def note(step, client, message):
        if step.endswith("answered"):
            answers[step.split()[0], client] = message
        else:
            inboxes[step, client] = message
        return message

    inboxes = {}
    await fleet.drive(change=note).run(fleet.updates)
    for (step, client), answer in answers.items():
        again = await fleet.restart(client).exchange(step, fleet.session, inboxes[step, client])
        assert again == answer, step
    assert len(answers) == 5 * fleet.count


async def test_a_second_set_of_survivors_is_neither_confirmed_nor_revealed_to():
    fleet = await Fleet(5, LOOSE).begin()
    _, codes = await confirmed(fleet, fleet.cohort)
    fewer = bitmap(range(4), 5)
    for node in (fleet.nodes["c00"], fleet.restart("c00")):
        with pytest.raises(Refusal, match="are others than this client has confirmed"):
            await node.exchange("survivors", fleet.session, fewer)
    # What it reveals is for the first set, however often it is asked: never both shares of one peer.
    assert await fleet.restart("c00").exchange("unmask", fleet.session, codes["c00"]) == await fleet.nodes[
        "c00"
    ].exchange("unmask", fleet.session, codes["c00"])


async def test_confirmations_of_another_set_do_not_count():
    fleet = await Fleet(5, LOOSE).begin()
    drive = await masked(fleet)
    # An aggregator that tells c04 of other survivors than the rest.
    some = {client: drive.protected[client] for client in fleet.cohort[:4]}
    told = await drive.rounds(("survivors",), some)
    everybody = bitmap(range(5), 5)
    told["c04"] = await fleet.nodes["c04"].exchange("survivors", fleet.session, everybody)
    codes = fleet.aggregator.route("unmask", fleet.session, told).inboxes
    with pytest.raises(Refusal, match="1 confirm this set to this client, and 4 must"):
        await fleet.nodes["c04"].exchange("unmask", fleet.session, codes["c04"])


async def test_nothing_is_revealed_before_survivors_were_confirmed():
    fleet = await Fleet(4).begin()
    await masked(fleet)
    with pytest.raises(Refusal, match="survivors comes first"):
        await fleet.nodes["c00"].exchange("unmask", fleet.session, b"")


@pytest.mark.parametrize(
    ("survivors", "problem"),
    [
        (bitmap(range(3), 5), "3 are below the threshold of 4"),
        (bitmap(range(1, 5), 5), "this client is not among them"),
        (b"\xff", "is no set of clients out of 5"),
        (b"\x1f\x1f", "is no set of clients out of 5"),
    ],
)
async def test_survivors_that_no_honest_aggregator_would_name_are_refused(survivors, problem):
    fleet = await Fleet(5, LOOSE).begin()
    await masked(fleet)
    with pytest.raises(Refusal, match=problem):
        await fleet.nodes["c00"].exchange("survivors", fleet.session, survivors)


async def test_a_client_that_sent_nothing_confirms_nothing():
    fleet = await Fleet(4).begin()
    drive = fleet.drive()
    await drive.rounds(drive.method.before, dict.fromkeys(fleet.cohort, b""))
    with pytest.raises(Refusal, match="an update comes first"):
        await fleet.nodes["c00"].exchange("survivors", fleet.session, bitmap(range(4), 4))


async def test_survivors_who_dealt_no_shares_are_refused():
    fleet = await Fleet(5, LOOSE).begin()
    drive = fleet.drive(gone={"shares": {"c04"}})
    there = await drive.rounds(drive.method.before, dict.fromkeys(fleet.cohort, b""))
    assert sorted(there) == ["c00", "c01", "c02", "c03"]
    await fleet.nodes["c00"].protect(fleet.session, fleet.updates["c00"])
    with pytest.raises(Refusal, match="c04 dealt no shares to this client"):
        await fleet.nodes["c00"].exchange("survivors", fleet.session, bitmap(range(5), 5))


@pytest.mark.parametrize(
    ("step", "alter", "problem"),
    [
        ("shares", lambda m: flipped(m, 2), "keys: those given for this client are not its own"),
        ("shares", flipped, r"keys of c04: are not signed"),
        ("shares", lambda m: flipped(m, 2 + 130 + 40), r"keys of c01: are not signed"),
        ("shares", lambda m: m[: 130 * 3], "of 3 clients are too few: 4 are needed"),
        ("shares", lambda m: m[:-1], "was cut or changed"),
        ("shares", lambda m: m + m[:130], "out of order"),
        ("peers", flipped, "share of c04: was changed, or was sealed to another client"),
        ("peers", lambda m: m[:52] + m[52:54] + m[2:52] + m[104:], "share of c02: was changed"),
        ("peers", lambda m: m[: 52 * 2], "of 2 peers are too few: 3 are needed"),
        ("unmask", lambda m: m[: 18 * 2], "3 confirm this set to this client, and 4 must"),
        ("unmask", lambda m: flipped(flipped(m), -19), "3 confirm this set to this client, and 4 must"),
        ("protected", lambda m: flipped(m, -1), "shares of c00: do not give what it committed to"),
    ],
)
async def test_what_was_changed_on_its_way_is_refused_by_name(step, alter, problem):
    fleet = await Fleet(5, LOOSE).begin()
    with pytest.raises(Refusal, match=problem):
        await fleet.drive(change=changing(step, "c00", alter)).run(fleet.updates)


async def test_keys_signed_by_somebody_else_are_refused():
    fleet = await Fleet(4).begin()
    fleet.nodes["c01"]._identity = Ed25519PrivateKey.generate()
    with pytest.raises(Refusal, match="another identity for this client than its own"):
        await fleet.drive().run(fleet.updates)


async def test_an_identity_that_changed_since_it_was_met_is_refused_after_a_restart():
    fleet = await Fleet(4).begin()
    await fleet.drive().run(fleet.updates)
    await fleet.begin(number=2)
    other = announced(Ed25519PrivateKey.generate())
    session = replace(fleet.session, identities={**fleet.session.identities, "c03": other})
    with pytest.raises(Refusal, match="identity of c03: is another than this node has pinned"):
        await fleet.restart("c00").exchange("keys", session, b"")
    assert await fleet.restart("c00").exchange("keys", fleet.session, b"")


@pytest.mark.parametrize(
    "changed",
    [
        {"aggregator_key": base64.b64encode(bytes(range(32))).decode()},
        {"spec": PrivacySpec("secure_mpc", threshold=0.9)},
        {"spec": PrivacySpec("secure_mpc", clip=9.0)},
        {"weight_cap": 7},
        {"schema": ()},
        {"cohort": ("c00", "c01", "c02")},
    ],
)
async def test_an_attempt_is_not_begun_again_under_other_terms(changed):
    fleet = await Fleet(4).begin()
    await fleet.nodes["c00"].exchange("keys", fleet.session, b"")
    with pytest.raises(Refusal, match="was begun with another cohort, key, model or policy"):
        await fleet.restart("c00").exchange("keys", replace(fleet.session, **changed), b"")


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"cohort": ("c00", "c01")}, "2 clients cannot hide in their sum"),
        ({"cohort": ("c01", "c00", "c02")}, "is not sorted"),
        ({"cohort": ("c01", "c02", "c03")}, "this client is not in it"),
        ({"identities": {}}, "c00 has none"),
        ({"aggregator_key": "no"}, "aggregator_key: is not the base64 of a public key"),
        ({"aggregator_key": "AAAA"}, "aggregator_key: is not the base64 of a public key"),
    ],
)
async def test_a_session_that_nobody_should_join_is_refused(changed, problem):
    fleet = await Fleet(4).begin()
    with pytest.raises(Refusal, match=problem):
        await fleet.nodes["c00"].exchange("keys", replace(fleet.session, **changed), b"")


async def test_a_closed_attempt_answers_nothing_and_has_no_secrets_left():
    fleet = await Fleet(4).begin()
    drive = fleet.drive()
    await drive.run(fleet.updates)
    for client, node in fleet.nodes.items():
        await node.close(fleet.session)
        left = fleet.journals[client].entries
        assert not [key for key in left if key.startswith("attempt/")]
        for again in (node, fleet.restart(client)):
            with pytest.raises(Refusal, match="is over on this client"):
                await again.protect(fleet.session, fleet.updates[client])
    await fleet.aggregator.close(fleet.session.salt)
    assert not fleet.aggregators.entries


async def test_closing_while_an_answer_is_made_withholds_the_answer():
    fleet = await Fleet(4).begin()
    await masked(fleet)
    node, journal = fleet.nodes["c00"], fleet.journals["c00"]
    once = journal.once

    async def closing(key, value):
        if key.endswith("/update"):
            journal.once = once
            await node.close(fleet.session)
        return await once(key, value)

    journal.once = closing
    with pytest.raises(Refusal, match=r"is over on this client|comes first"):
        await node.protect(fleet.session, update_of("c00", 99))


@pytest.mark.parametrize("step", ["sum", "x" * 100])
async def test_a_step_that_is_none_is_refused(step):
    fleet = await Fleet(4).begin()
    with pytest.raises(Refusal, match="step"):
        await fleet.nodes["c00"].exchange(step, fleet.session, b"")
    with pytest.raises(Refusal, match="step"):
        fleet.aggregator.route(step, fleet.session, dict.fromkeys(fleet.cohort, b""))


async def test_an_update_of_another_client_or_shape_is_refused():
    fleet = await Fleet(4).begin()
    await masked(fleet)
    with pytest.raises(Refusal, match="is of another client"):
        await fleet.nodes["c00"].protect(fleet.session, fleet.updates["c01"])
    with pytest.raises(Refusal, match="has no tensor 'bias'"):
        await fleet.nodes["c00"].protect(fleet.session, replace(fleet.updates["c00"], context_patterns={}))


async def test_a_stranger_s_message_is_refused():
    fleet = await Fleet(4).begin()
    with pytest.raises(Refusal, match="stranger is not in it"):
        fleet.aggregator.route("shares", fleet.session, {"stranger": b""})
