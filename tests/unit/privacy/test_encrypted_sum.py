"""Sums of encrypted updates, of which one client holds the key."""

import numpy as np
import pytest

from activities.privacy import ckks, encrypted_node, methods
from activities.privacy.holding import statement
from activities.privacy.methods import ENCRYPTED
from activities.privacy.port import Passed, RoundLost
from activities.privacy.terms import Terms
from activities.privacy.wire import SIGNATURE_BYTES, bitmap
from domain.learning.policy import PrivacySpec
from domain.refusal import Refusal
from tests.fakes.privacy_session import Drive
from tests.unit.privacy.fleets import Fleet, plain_sum, update_of
from tests.unit.privacy.test_refusals import changing, flipped

pytest.importorskip("tenseal")
HOLDER = "c02"


class Encrypted(Fleet):
    def installed(self, journal, identity=None):
        return methods.homomorphic_encryption(journal, identity)

    def drive(self, **given):
        return Drive(ENCRYPTED, self.session, self.nodes, self.aggregator, **given)


def encrypted(count=4, **given):
    return Encrypted(
        count, PrivacySpec("homomorphic_encryption", key_holder=HOLDER, threshold=0.51, **given)
    ).begin()


async def test_the_decrypted_sum_is_the_sum_of_the_updates_and_a_retry_is_the_same():
    fleet = await encrypted()
    answers = {}

    def note(step, client, message):
        answers[step, client] = message
        return message

    drive = fleet.drive(gone={"protect": {"c03"}}, change=note)
    found = await drive.run(fleet.updates)
    total, weight = plain_sum([fleet.updates[client] for client in fleet.cohort[:3]])
    assert (found.weight, found.clients) == (weight, fleet.cohort[:3])
    for name, values in total.items():
        bound = 2**-12 * fleet.cap + 1e-3  # the grain, in weight * change, and float32
        assert np.abs(found.total[name] - values).max() < bound
    again = fleet.restart("c00")
    assert (await again.protect(fleet.session, fleet.updates["c00"])).content == drive.protected["c00"]
    asked, told = answers["decrypt", HOLDER], answers["decrypt answered", HOLDER]
    assert await fleet.restart(HOLDER).exchange("decrypt", fleet.session, asked) == told
    # The key is in one journal, and passes nowhere.
    key = fleet.journals[HOLDER].entries[f"attempt/{HOLDER}/cycle/1/1/0/ckks"]
    secret = key[len(ckks.public_half(key)) :]
    assert len(secret) > 1000
    assert not any(secret[-1000:] in message or key in message for message in drive.passed)
    assert not any(
        k.endswith("/ckks") for c in fleet.cohort if c != HOLDER for k in fleet.journals[c].entries
    )


async def test_the_holder_decrypts_one_sum_an_attempt_and_none_that_is_said_to_be_of_too_few():
    fleet = await encrypted()
    drive = fleet.drive()
    await drive.run(fleet.updates)
    holder = fleet.nodes[HOLDER]
    one = ckks.add([("c00", drive.protected["c00"])], 13)
    with pytest.raises(Refusal, match="1 are below the threshold of 3"):
        await holder.exchange("decrypt", fleet.session, bitmap([0], 4) + one)
    with pytest.raises(Refusal, match="is another sum than the one decrypted"):
        await holder.exchange("decrypt", fleet.session, bitmap([0, 1, 2], 4) + one)
    with pytest.raises(Refusal, match="c02 holds the key, and not this client"):
        await fleet.nodes["c00"].exchange("decrypt", fleet.session, bitmap(range(4), 4) + one)
    with pytest.raises(Refusal, match="is another than the one that was encrypted"):
        await fleet.nodes["c00"].protect(fleet.session, update_of("c00", 99))


async def test_one_update_passed_off_as_the_sum_of_three_is_not_decrypted():
    fleet = await encrypted()
    route = fleet.aggregator.route

    def cheating(step, session, outboxes):
        if step != "decrypt":
            return route(step, session, outboxes)
        return Passed({HOLDER: bitmap([0, 1, 2], 4) + ckks.add([("c00", outboxes["c00"])], 13)})

    fleet.aggregator.route = cheating
    with pytest.raises(Refusal, match=r"what came is no sum of 3 updates: it counts 1\.000"):
        await fleet.drive().run(fleet.updates)


@pytest.mark.parametrize(
    ("step", "client", "alter", "problem"),
    [
        ("public", "c00", flipped, "key of c02: is not signed, for this attempt, by its identity"),
        ("key answered", HOLDER, lambda _: b"", "c02 did not answer, and nobody else has the key"),
        ("protected", "c00", lambda m: m[:-1], "update of c00: is no encryption of 13 numbers"),
        ("decrypt answered", HOLDER, flipped, "sum of c02: is not signed, for this attempt"),
    ],
)
async def test_what_was_changed_on_its_way_is_refused_by_name(step, client, alter, problem):
    fleet = await encrypted()
    with pytest.raises(Refusal, match=problem):
        await fleet.drive(change=changing(step, client, alter)).run(fleet.updates)


def said(numbers, weight, kind="<f4"):
    return np.array(numbers, kind).tobytes() + weight.to_bytes(8, "big")


@pytest.mark.parametrize(
    ("plain", "problem"),
    [
        (said([np.nan] + [0.0] * 10, 26), "holds a number that no 4 updates within the clip add up to"),
        (said([np.inf] + [0.0] * 10, 26), "holds a number that no 4 updates within the clip add up to"),
        (said([0.0] * 10 + [-3e38], 26), "holds a number that no 4 updates within the clip add up to"),
        (said([0.0] * 10 + [0.27], 26), "holds a number that no 4 updates within the clip add up to"),
        (said([0.0] * 10, 26), "has 48 bytes, which are not 11 numbers and a weight"),
        (said([0.0] * 11, 26, "<f8"), "has 96 bytes, which are not 11 numbers and a weight"),
        (b"", "has 0 bytes, which are not 11 numbers"),
        (said([0.0] * 11, 0), "weighs 0, but 4 updates weigh 4 to 400"),
        (said([0.0] * 11, 2**64 - 1), "weighs 18446744073709551615, but 4 updates weigh 4 to 400"),
    ],
    ids=[
        "NaN",
        "infinite",
        "huge",
        "beyond its weight",
        "too few",
        "doubles",
        "nothing",
        "weightless",
        "heavy",
    ],
)
async def test_a_sum_that_its_holder_made_up_loses_the_attempt_and_not_the_cycle(monkeypatch, plain, problem):
    fleet = await encrypted()
    monkeypatch.setattr(encrypted_node, "released", lambda *_: plain)
    with pytest.raises(RoundLost, match=f"sum of c02: {problem}"):
        await fleet.drive().run(fleet.updates)


async def test_a_holder_whose_key_gives_no_secret_loses_the_attempt():
    fleet = await encrypted()

    def keyless(message):
        content = bytes(32) + message[SIGNATURE_BYTES + 32 :]
        return fleet.keys[HOLDER].sign(statement(Terms.of(fleet.session), content)) + content

    with pytest.raises(RoundLost, match="key of c02: is no key of X25519 that gives a secret"):
        await fleet.drive(change=changing("decrypt answered", HOLDER, keyless)).run(fleet.updates)


async def test_an_update_at_another_scale_loses_the_attempt_and_names_its_client():
    fleet = await encrypted()
    context = ckks.tenseal().context_from(ckks.public_half(ckks.make_key()))
    other = ckks.tenseal().ckks_vector(context, [0.0] * 13, 2.0**40).serialize()
    change = changing("protected", "c00", lambda _: len(other).to_bytes(4, "big") + other)
    with pytest.raises(RoundLost, match="update of c00: is no encryption of 13 numbers"):
        await fleet.drive(change=change).run(fleet.updates)


async def test_a_secret_key_is_no_public_one():
    key = ckks.make_key()
    assert ckks.is_public(ckks.public_half(key))
    assert not ckks.is_public(key)
    assert not ckks.is_public(b"nothing")


async def test_too_few_updates_are_not_added():
    fleet = await encrypted()
    with pytest.raises(Refusal, match="2 clients are left, and 3 are needed"):
        await fleet.drive(gone={"protect": {"c00", "c01"}}).run(fleet.updates)


@pytest.mark.parametrize(
    ("holder", "problem"), [(None, "key_holder: is missing"), ("c09", "c09 is not in this")]
)
async def test_without_a_holder_in_the_cohort_there_is_no_sum(holder, problem):
    spec = PrivacySpec("homomorphic_encryption", key_holder=holder, threshold=0.51)
    fleet = await Encrypted(4, spec).begin()
    with pytest.raises(Refusal, match=problem):
        await fleet.drive().run(fleet.updates)


async def test_steps_that_are_none_are_refused_and_so_is_a_closed_attempt():
    fleet = await encrypted()
    with pytest.raises(Refusal, match="not 'unmask'"):
        await fleet.nodes["c00"].exchange("unmask", fleet.session, b"")
    with pytest.raises(Refusal, match="no step 'unmask'"):
        fleet.aggregator.route("unmask", fleet.session, {})
    await fleet.nodes[HOLDER].close(fleet.session)
    with pytest.raises(Refusal, match="is over on this client"):
        await fleet.nodes[HOLDER].exchange("key", fleet.session, b"")
    await fleet.aggregator.close(fleet.session.salt)
    assert not fleet.aggregators.entries
