"""How a client agrees with its peers on who survived, and only then reveals one share of each."""

import hmac

from activities.privacy.attempt import Attempt, pair_key, reveal_key
from activities.privacy.dealing import pairs_of, round_keys_of
from activities.privacy.primitives import TAG_BYTES, agree, seal
from activities.privacy.wire import DEALT_BYTES, bitmap, members, pack, unpack
from domain.learning.shamir import SHARE_BYTES
from domain.refusal import Refusal


async def confirm(attempt: Attempt, inbox: bytes) -> bytes:
    """Be held to one set of survivors, and confirm it to each of them.

    The paper signs the set; here each peer gets a code (HMAC-SHA256 of 128 bits) under the secret of the two,
    which rests on keys that the identities signed. It convinces that peer just as well, and nobody else.

    Raises:
        Refusal: it is too small, this client is not in it or has sent nothing, or it is another than before.
    """
    terms, me = attempt.terms, attempt.me
    survivors = members(inbox, len(terms.cohort), "survivors")
    dealt = await _dealt(attempt)
    if len(survivors) < terms.threshold:
        raise Refusal("survivors", f"{len(survivors)} are below the threshold of {terms.threshold}")
    if me not in survivors:
        raise Refusal("survivors", "this client is not among them")
    if strangers := set(survivors) - dealt.keys():
        raise Refusal("survivors", f"{terms.name(min(strangers))} dealt no shares to this client")
    await attempt.held("update", "an update")
    await attempt.hold("survivors", inbox, "are others than this client has confirmed in this attempt")
    pairs = await pairs_of(attempt)
    said = inbox + bitmap(dealt, len(terms.cohort))
    return pack(
        {
            peer: _code(pair_key(pairs[peer], "confirmation", me, peer), said)
            for peer in survivors
            if peer != me
        }
    )


async def reveal(attempt: Attempt, inbox: bytes) -> bytes:
    """Of each survivor the share of its own mask, of everybody else that of the mask key: to the aggregator.

    Raises:
        Refusal: nothing was confirmed here, or fewer than the threshold confirmed the same to this client.
    """
    terms, me = attempt.terms, attempt.me
    confirmed = await attempt.held("survivors", "survivors")
    survivors = set(members(confirmed, len(terms.cohort), "survivors"))
    dealt = await _dealt(attempt)
    pairs = await pairs_of(attempt)
    said = confirmed + bitmap(dealt, len(terms.cohort))
    codes = unpack(inbox, TAG_BYTES, len(terms.cohort), "confirmations")
    agreeing = 1 + sum(
        hmac.compare_digest(code, _code(pair_key(pairs[peer], "confirmation", peer, me), said))
        for peer, code in codes.items()
        if peer in survivors and peer in pairs
    )
    if agreeing < terms.threshold:
        raise Refusal(
            "survivors",
            f"{agreeing} confirm this set to this client, and {terms.threshold} must before it reveals",
        )
    return await _sealed(attempt, survivors, dealt)


async def _sealed(attempt: Attempt, survivors: set[int], dealt: dict[int, bytes]) -> bytes:
    terms = attempt.terms
    keys = round_keys_of(terms, await attempt.held("keys", "shares"))
    clients = len(terms.cohort)
    said = bytearray(bitmap(dealt, clients))
    for peer, shares in sorted(dealt.items()):
        said += shares[SHARE_BYTES:] if peer in survivors else shares[:SHARE_BYTES] + keys[peer].mask
    agreed = agree(attempt.channel, terms.aggregator, "aggregator_key")
    return seal(reveal_key(agreed, terms.digest, attempt.me), bytes(said), bitmap(survivors, clients))


async def _dealt(attempt: Attempt) -> dict[int, bytes]:
    return unpack(await attempt.held("dealt", "peers"), DEALT_BYTES, len(attempt.terms.cohort), "dealt")


def _code(key: bytes, said: bytes) -> bytes:
    return hmac.digest(key, said, "sha256")[:TAG_BYTES]
