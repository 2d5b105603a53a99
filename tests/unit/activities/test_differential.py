"""The method differential_privacy: clipped, noised once, and never twice with the same noise."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from activities import update_file
from activities.privacy.central_noise import CentralNoise
from activities.privacy.differential import NodeNoise, method
from activities.privacy.noise_stream import KEY
from activities.privacy.port import RoundLost, Session
from domain.learning.clipping import Quantile, l2
from domain.learning.policy import PrivacySpec
from domain.learning.tensors import TensorSpec
from domain.learning.update import ClientUpdate, TimeRange, UpdateMetadata
from domain.refusal import Refusal
from tests.fakes.journal import MemoryJournal

SCHEMA = (
    TensorSpec("a", "personality_evolutions", (200,)),
    TensorSpec("b", "context_patterns", (5, 4), "float64"),
)
AT = datetime(2026, 11, 22, tzinfo=UTC)


def session(clients=("ada", "ben"), number=1, **changes):
    said = {"noise_multiplier": 2.0, "clip": 3.0} | changes
    spec = PrivacySpec("differential_privacy", **said)
    return Session("c", number, 1, 10, tuple(clients), len(clients), {}, spec, SCHEMA)


def update(client, size=1.0):
    metadata = UpdateMetadata("none", 7, TimeRange(AT, AT))
    change = {"a": np.full(200, size, np.float32)}, {"b": np.full((5, 4), -size)}
    return ClientUpdate(client, *change, {}, {}, metadata)


async def protected(asked, kept=None, size=1.0):
    return {
        client: (await NodeNoise(MemoryJournal(kept)).protect(asked, update(client, size))).content
        for client in asked.cohort
    }


async def released(asked, content, kept=None):
    return await CentralNoise(MemoryJournal(kept)).sum(asked, content, {})


def same(one, other):
    return all(np.array_equal(one[name], other[name]) for name in one)


async def test_a_central_update_leaves_the_node_clipped_and_says_so():
    given = await NodeNoise(MemoryJournal()).protect(session(), update("ada"))
    sent = update_file.decode(given.content, SCHEMA)
    assert given.level == sent.metadata.privacy_level == "central_dp"
    assert (sent.personality_evolutions["a"].dtype, sent.context_patterns["b"].dtype) == (
        "float32",
        "float64",
    )
    whole = [*sent.personality_evolutions.values(), *sent.context_patterns.values()]
    assert abs(l2([np.asarray(one, np.float64) for one in whole]) - 3.0) < 1e-6


async def test_a_local_update_leaves_the_node_noised_alike_every_time_and_by_each_node_otherwise():
    asked, kept = session(place="local"), {}
    once, again, other = [await protected(asked, where) for where in (kept, kept, {})]
    assert once == again
    assert once["ada"] != other["ada"]
    sent = update_file.decode(once["ada"], SCHEMA)
    assert sent.metadata.privacy_level == "local_dp"
    assert 9.0 < float(sent.personality_evolutions["a"].std()) < 15.0  # 2 x 3 x 2


async def test_another_update_under_the_same_session_is_refused():
    node = NodeNoise(MemoryJournal())
    await node.protect(session(), update("ada"))
    with pytest.raises(Refusal, match="release: c/1/1/0/ada was made of other updates"):
        await node.protect(session(), update("ada", 2.0))
    await node.protect(session(number=2), update("ada", 2.0))


async def test_a_release_that_is_tried_again_by_another_process_has_the_same_bits():
    asked, kept = session(), {}
    content = await protected(asked)
    first = await released(asked, content, kept)
    again = await released(asked, dict(reversed(content.items())), dict(kept))
    assert same(first.total, again.total)
    assert first.privacy == again.privacy
    assert (first.weight, first.clients) == (2.0, ("ada", "ben"))


async def test_a_second_release_of_other_updates_is_refused_and_another_secret_gives_other_noise():
    asked, kept = session(), {}
    content = await protected(asked)
    first = await released(asked, content, kept)
    with pytest.raises(Refusal, match="release: c/1/1/0/sum was made of other updates"):
        await released(asked, {"ada": content["ada"]}, kept)
    elsewhere = await released(asked, content)
    assert not same(first.total, elsewhere.total)


async def test_the_noise_is_not_what_the_record_alone_would_give():
    """Only the key in the journal makes it: it is 32 bytes and in nothing that was sent."""
    asked, kept = session(), {}
    content = await protected(asked, kept)
    secret = kept[KEY]
    assert len(secret) == 32
    assert not any(secret in sent for sent in content.values())


async def test_a_client_that_did_not_clip_is_clipped_at_the_aggregator():
    asked = session(("ada",), noise_multiplier=1e-3)
    loud = update_file.encode(update("ada", 1e6), SCHEMA)
    found = await released(asked, {"ada": loud})
    assert abs(l2(list(found.total.values())) - 3.0) < 0.05


async def test_each_group_gets_its_own_noise_and_its_own_norm():
    asked = session(("ada",), noise_multiplier={"personality": 1e-3, "context": 5.0})
    found = await released(asked, await protected(asked))
    assert abs(l2([found.total["a"]]) - 3.0) < 0.05
    assert 8.0 < float(found.total["b"].std()) < 25.0


async def test_a_release_says_what_is_left_of_the_signal_and_leaves_its_cost_to_the_accountant():
    said = (await released(session(), await protected(session()))).privacy
    assert (said.method, said.epsilon, said.delta, said.clip) == ("differential_privacy", None, None, None)
    assert 0 <= said.utility_preserved < 1


async def test_adaptive_clipping_moves_the_norm_to_where_half_of_the_clients_are():
    clients = [f"c{n}" for n in range(60)]
    low = session(clients, clipping="adaptive", clip=1e-3)
    high = session(clients, clipping="adaptive", clip=1e3)
    found = [await CentralNoise(MemoryJournal()).sum(each, await protected(each), {}) for each in (low, high)]
    assert 1e-3 < found[0].privacy.clip <= 1e-3 * np.exp(Quantile().rate / 2)
    assert 1e3 > found[1].privacy.clip >= 1e3 * np.exp(-Quantile().rate / 2)


async def test_an_attempt_in_which_too_few_came_in_for_adaptive_clipping_is_lost_and_not_the_cycle():
    asked = session(clipping="adaptive")
    with pytest.raises(RoundLost, match="clipping: adaptive does not go with this noise"):
        await released(asked, await protected(asked))


async def test_what_cannot_be_meant_is_refused_before_any_noise_is_drawn():
    asked, kept = session(clipping="adaptive", noise_multiplier={"personality": 1.0, "context": 1.0}), {}
    for refused in (protected(asked, kept), released(asked, {"ada": b""}, kept)):
        with pytest.raises(Refusal, match="adaptive asks for one epsilon"):
            await refused
    assert kept == {}


async def test_noise_alone_is_no_release():
    with pytest.raises(Refusal, match="updates: none came in"):
        await CentralNoise(MemoryJournal()).sum(session(), {}, {})


async def test_there_are_no_messages():
    assert CentralNoise(MemoryJournal()).route("keys", session(), {"ada": b""}).inboxes == {}
    with pytest.raises(Refusal, match="exchanges no messages"):
        await NodeNoise(MemoryJournal()).exchange("keys", session(), b"")


def test_strategies_may_see_each_update_only_where_each_has_its_own_noise():
    spec = session().spec
    assert [method(replace(spec, place=place)).individual for place in ("central", "local")] == [False, True]
