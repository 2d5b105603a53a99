"""A client in a secure sum: Bonawitz et al. 2017, the variant that withstands an active aggregator."""

import hashlib

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from activities.learning_ports import Journal
from activities.privacy.attempt import Attempt, close, pair_mask, refuse_closed, self_mask
from activities.privacy.attempt import mask_key as mask_key_of
from activities.privacy.dealing import deal, receive, round_keys_of
from activities.privacy.identity import Pins
from activities.privacy.port import Protected, Session
from activities.privacy.primitives import Masks, Stream, agree
from activities.privacy.revealing import confirm, reveal
from activities.privacy.terms import Noise, Terms
from activities.privacy.wire import DEALT_BYTES, unpack
from domain.learning.fixed_point import Words, flatten, within_range
from domain.learning.tensors import check_tensors
from domain.learning.update import ClientUpdate
from domain.refusal import Refusal

BEFORE = ("keys", "shares", "peers")
AFTER = ("survivors", "unmask")


class SecureNode:
    """`NodeHalf` of `secure_mpc`, and, with `noise`, of `hybrid`.

    A client refuses, also after a restart: keys that the roster's identity did not sign, or an identity other
    than the one its node has pinned; to mask two updates in one attempt; to speak for two sets of survivors;
    to reveal both kinds of share of anybody; to reveal anything for fewer than the threshold, or for a set
    that fewer than the threshold have confirmed to it.
    """

    def __init__(
        self,
        client: str,
        identity: Ed25519PrivateKey,
        journal: Journal,
        pins: Pins,
        noise: Noise | None = None,
    ) -> None:
        self._client = client
        self._identity = identity
        self._journal = journal
        self._pins = pins
        self._noise = noise

    async def exchange(self, step: str, session: Session, inbox: bytes) -> bytes:
        attempt = await self._attempt(session)
        match step:
            case "keys":
                answer = attempt.round_keys(self._identity).pack()
            case "shares":
                answer = await deal(attempt, self._identity, inbox)
            case "peers":
                answer = await receive(attempt, inbox)
            case "survivors":
                answer = await confirm(attempt, inbox)
            case "unmask":
                answer = await reveal(attempt, inbox)
            case _:
                raise Refusal("step", f"a secure sum has {', '.join(BEFORE + AFTER)}, and not {step[:20]!a}")
        # Asked last: what was pinned above counts only if it was not forgotten meanwhile.
        await refuse_closed(session.salt, self._client, self._journal)
        return answer

    async def protect(self, session: Session, update: ClientUpdate) -> Protected:
        attempt = await self._attempt(session)
        words = self._encode(attempt.terms, session, update)
        await attempt.hold(
            "update",
            hashlib.sha256(words.data).digest(),
            "is another than the one masked in this attempt: two under one mask would show their difference",
        )
        if self._noise:
            _add_noise(attempt, session, self._noise, words)
        await _mask(attempt, words)
        content = words.tobytes() + attempt.trailer
        await refuse_closed(session.salt, self._client, self._journal)
        return Protected(content, "secure_sum_with_dp" if self._noise else "secure_sum")

    async def close(self, session: Session) -> None:
        await close(session.salt, self._client, self._journal)

    async def _attempt(self, session: Session) -> Attempt:
        terms = await self._pins.terms(session, self._noise)
        if self._client not in terms.places:
            raise Refusal("cohort", "this client is not in it")
        own = self._identity.public_key().public_bytes_raw()
        if terms.identities[terms.places[self._client]] != own:
            raise Refusal("identities", "the roster has another identity for this client than its own")
        return await Attempt.of(terms, self._client, self._journal)

    def _encode(self, terms: Terms, session: Session, update: ClientUpdate) -> Words:
        """The update in steps; with noise every client weighs the same, so that the clip bounds its part."""
        if update.node_id != self._client:
            raise Refusal("update", "is of another client")
        tensors = {
            **update.personality_evolutions,
            **update.context_patterns,
            **update.reasoning_improvements,
            **update.user_interaction_patterns,
        }
        check_tensors(session.schema, tensors, "update")
        if self._noise:
            for part in terms.parts:
                own = {name: tensors[name] for name in part.tensors}
                tensors |= self._noise.clip(own, part.norm, session.spec.clipping)
            return terms.fixed.encode(flatten(session.schema, tensors), 1)
        weight = min(update.metadata.data_volume, session.weight_cap)
        values = within_range(flatten(session.schema, tensors), session.spec.clip)
        return terms.fixed.encode(values, weight)


def _add_noise(attempt: Attempt, session: Session, noise: Noise, words: Words) -> None:
    """This client's share of the noise, the same at every repeat; modulo 2^32, as everything here."""
    ends = np.cumsum([spec.size for spec in session.schema]).tolist()
    places = {spec.name: slice(end - spec.size, end) for spec, end in zip(session.schema, ends, strict=True)}
    draw = Stream(attempt.derived(b"noise"))
    for part in attempt.terms.parts:
        scale = attempt.terms.share(part)
        for name in part.tensors:
            here = words[places[name]]
            here += noise.sample(scale, here.size, draw).astype(np.uint32)


async def _mask(attempt: Attempt, words: Words) -> None:
    """Add the client's own mask, and that of each pair it is part of."""
    terms, me = attempt.terms, attempt.me
    dealt = unpack(await attempt.held("dealt", "peers"), DEALT_BYTES, len(terms.cohort), "dealt")
    keys = round_keys_of(terms, await attempt.held("keys", "shares"))
    private = mask_key_of(attempt.mask_secret, terms.digest)
    masks = Masks(words)
    masks.add(self_mask(attempt.self_secret, terms.digest))
    for peer in dealt:
        if peer != me:
            agreed = agree(private, keys[peer].mask, f"key of {terms.name(peer)}")
            key = pair_mask(agreed, terms.digest, me, peer)
            (masks.add if me < peer else masks.subtract)(key)
