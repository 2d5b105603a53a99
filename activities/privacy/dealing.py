"""How a client takes its peers' keys, deals shares of its secrets to them and receives theirs."""

from collections.abc import Sequence

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from activities.privacy.attempt import PAIR_BYTES, Attempt, pair_key, pair_keys
from activities.privacy.primitives import agree, seal, signed_by, unseal
from activities.privacy.terms import Terms
from activities.privacy.wire import (
    DEALT_BYTES,
    SEALED_BYTES,
    RoundKeys,
    pack,
    unpack,
)
from domain.learning.shamir import SHARE_BYTES, split
from domain.refusal import Refusal


async def deal(attempt: Attempt, identity: Ed25519PrivateKey, inbox: bytes) -> bytes:
    """Check everybody's keys, and seal to each peer a share of both secrets.

    Raises:
        Refusal: too few keys, a key that its identity did not sign, or other keys than before.
    """
    terms, me = attempt.terms, attempt.me
    keys = round_keys_of(terms, inbox)
    if len(keys) < terms.threshold:
        raise Refusal("keys", f"of {len(keys)} clients are too few: {terms.threshold} are needed")
    if keys.get(me) != attempt.round_keys(identity):
        raise Refusal("keys", "those given for this client are not its own")
    _check_signatures(terms, keys)
    await attempt.hold("keys", inbox, "are others than those that shares were dealt under")
    private, pairs = attempt.channel, {}
    for peer in keys.keys() - {me}:
        agreed = agree(private, keys[peer].channel, f"key of {terms.name(peer)}")
        pairs[peer] = pair_keys(agreed, terms.digest, me, peer)
    await attempt.hold("pairs", pack(pairs), "are others than before")
    shares = _shares(attempt, range(len(terms.cohort)))
    return pack({peer: seal(pair_key(pairs[peer], "share", me, peer), shares[peer]) for peer in pairs})


async def receive(attempt: Attempt, inbox: bytes) -> bytes:
    """Open and keep the shares that peers dealt; whose did arrive is who this client shares masks with.

    Raises:
        Refusal: too few dealt, a share was changed or is for another, or other shares than before.
    """
    terms, me = attempt.terms, attempt.me
    pairs = await pairs_of(attempt)
    sealed = unpack(inbox, SEALED_BYTES, len(terms.cohort), "shares")
    if len(sealed) + 1 < terms.threshold:
        raise Refusal("shares", f"of {len(sealed)} peers are too few: {terms.threshold - 1} are needed")
    dealt = _shares(attempt, [me])
    for peer, box in sealed.items():
        plain = unseal(pair_key(pairs[peer], "share", peer, me), box) if peer in pairs else None
        if plain is None or len(plain) != DEALT_BYTES:
            raise Refusal(f"share of {terms.name(peer)}", "was changed, or was sealed to another client")
        dealt[peer] = plain
    await attempt.hold("dealt", pack(dealt), "are others than those received before")
    return b""


def round_keys_of(terms: Terms, directory: bytes) -> dict[int, RoundKeys]:
    """The keys of the clients by their places, as the aggregator handed them round."""
    entries = unpack(directory, RoundKeys.BYTES, len(terms.cohort), "keys")
    return {index: RoundKeys.unpack(raw) for index, raw in entries.items()}


async def pairs_of(attempt: Attempt) -> dict[int, bytes]:
    """The secrets with each peer, for what they send each other."""
    return unpack(await attempt.held("pairs", "shares"), PAIR_BYTES, len(attempt.terms.cohort), "pairs")


def _check_signatures(terms: Terms, keys: dict[int, RoundKeys]) -> None:
    for index, found in keys.items():
        said = RoundKeys.statement(terms.digest, index, found.channel, found.mask)
        if not signed_by(terms.identities[index], found.signature, said):
            raise Refusal(
                f"keys of {terms.name(index)}",
                "are not signed, for this attempt, by its identity in the roster",
            )
    public = [key for found in keys.values() for key in (found.channel, found.mask)]
    if len(set(public)) < len(public):
        raise Refusal("keys", "one is there twice: no two clients have the same")


def _shares(attempt: Attempt, peers: Sequence[int]) -> dict[int, bytes]:
    """What each of the peers is dealt: a share of the mask key and one of the self mask."""
    points = [peer + 1 for peer in peers]
    mask = split(attempt.mask_secret, attempt.polynomial(b"pairwise"), points)
    own = split(attempt.self_secret, attempt.polynomial(b"own"), points)
    return {
        peer: of_mask.to_bytes(SHARE_BYTES, "big") + of_own.to_bytes(SHARE_BYTES, "big")
        for peer, of_mask, of_own in zip(peers, mask, own, strict=True)
    }
