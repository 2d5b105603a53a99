"""What passes the aggregator, the workflow and the store of a secure sum, and what does not."""

import numpy as np
import pytest

from activities.privacy.attempt import Attempt, mask_key, self_mask
from activities.privacy.secure_node import SecureNode
from activities.privacy.terms import Terms
from activities.privacy.wire import DEALT_BYTES, unpack
from domain.learning.fixed_point import FixedPoint
from domain.learning.policy import PrivacySpec
from domain.learning.shamir import PRIME, SHARE_BYTES, lagrange
from tests.unit.privacy.fleets import Fleet


async def secrets_of(fleet):
    """Everything that must not pass in clear, by name: from the journals themselves."""
    found = {"aggregator's key": fleet.aggregators.entries["aggregator/cycle/1/1/0/private"]}
    terms = Terms.of(fleet.session)
    for client, journal in fleet.journals.items():
        kept = journal.entries
        prefix = f"attempt/{client}/cycle/1/1/0/"
        own = await Attempt.of(terms, client, journal)
        found |= {
            f"{client} identity": fleet.keys[client].private_bytes_raw(),
            f"{client} seed": kept[prefix + "seed"],
            f"{client} channel": own.channel.private_bytes_raw(),
            f"{client} mask key": mask_key(own.mask_secret, terms.digest).private_bytes_raw(),
            f"{client} mask secret": own.mask_secret,
            f"{client} self secret": own.self_secret,
            f"{client} self mask": self_mask(own.self_secret, terms.digest),
        }
        for peer, keys in unpack(kept[prefix + "pairs"], 128, 6, "").items():
            found |= {f"{client} {peer} pair {n}": keys[32 * n : 32 * n + 32] for n in range(4)}
        for peer, shares in unpack(kept[prefix + "dealt"], DEALT_BYTES, 6, "").items():
            found[f"{client} {peer} share of mask key"] = shares[1:SHARE_BYTES]
            found[f"{client} {peer} share of self mask"] = shares[SHARE_BYTES + 1 :]
    return found


async def test_no_key_seed_share_or_update_passes_in_clear():
    fleet = await Fleet(6, PrivacySpec("secure_mpc", threshold=0.51)).begin()
    drive = fleet.drive(gone={"protect": {"c05"}})
    await drive.run(fleet.updates)
    planted = await secrets_of(fleet)
    assert len(planted) == 1 + 6 * (7 + 5 * 4 + 6 * 2)
    fixed = FixedPoint(1.0, 100, 6)
    for client, update in fleet.updates.items():
        values = np.concatenate([update.context_patterns["bias"]])
        planted[f"{client} update"] = fixed.encode(values, update.metadata.data_volume).tobytes()[:12]
        planted[f"{client} plain update"] = update.personality_evolutions["weights"].tobytes()
    passed = b"|".join(drive.passed)
    assert [name for name, value in planted.items() if value in passed] == []
    # The search finds what does pass: public keys, and what was planted where it must not be.
    own = await Attempt.of(Terms.of(fleet.session), "c00", fleet.journals["c00"])
    assert all(key in passed for key in own.public_keys())
    assert planted["c00 seed"] in passed + planted["c00 seed"]


async def test_no_secret_is_in_the_repr_of_what_a_log_line_might_hold():
    fleet = await Fleet(3).begin()
    own = await Attempt.of(Terms.of(fleet.session), "c00", fleet.journals["c00"])
    seed = fleet.journals["c00"].entries[own.prefix + "seed"]
    assert repr(seed) not in repr(own)


def bytes_look_uniform(content):
    """Chi-square over byte values: within 6 standard deviations of its mean of 255."""
    counts = np.bincount(np.frombuffer(content, np.uint8), minlength=256)
    expected = len(content) / 256
    chi = float((np.square(counts - expected) / expected).sum())
    return abs(chi - 255) < 6 * np.sqrt(2 * 255)


async def test_masked_updates_look_like_noise_though_the_updates_do_not():
    """Many attempts of one unchanging update; an unmasked one is told at once."""
    fleet = await Fleet(3).begin()
    masked, bare = b"", b""
    for attempt in range(1, 9):
        await fleet.begin(attempt=attempt)
        drive = fleet.drive()
        await drive.run(fleet.updates)
        masked += b"".join(content[:48] for content in drive.protected.values())
        node: SecureNode = fleet.nodes["c00"]
        encoded = node._encode(Terms.of(fleet.session), fleet.session, fleet.updates["c00"])
        bare += encoded.tobytes()
    assert bytes_look_uniform(masked)
    assert not bytes_look_uniform(bare)


async def test_nothing_passes_twice_in_two_attempts_but_what_is_public():
    fleet = await Fleet(4).begin()
    chunks = []
    for number in (1, 2):
        await fleet.begin(number=number)
        drive = fleet.drive()
        await drive.run(fleet.updates)
        passed = [message for message in drive.passed if len(message) > 8]
        chunks.append({m[at : at + 16] for m in passed for at in range(len(m) - 15)})
    assert chunks[0] & chunks[1] == set()
    assert chunks[0]


@pytest.mark.parametrize("there", [0, 1, 2])
async def test_fewer_shares_than_the_threshold_fit_every_secret(there):
    """What an aggregator and colluding clients below the threshold have of a secret excludes nothing."""
    points = tuple(range(1, there + 1))
    shares = [PRIME // 7 * (n + 1) % PRIME for n in range(there)]
    for secret in (0, 1, 2**128 - 1):  # a polynomial of degree `there` through the shares and any secret at 0
        factors = lagrange((*points, there + 1))
        last = (secret - sum(f * s for f, s in zip(factors, shares, strict=False))) * pow(
            factors[-1], -1, PRIME
        )
        whole = [*shares, last % PRIME]
        assert sum(f * s for f, s in zip(factors, whole, strict=True)) % PRIME == secret
