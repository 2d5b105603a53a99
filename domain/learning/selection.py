"""Who may be asked to train, and who is: a seeded draw that anybody can repeat from the record."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from fractions import Fraction

from domain.learning.commands import RunCycle
from domain.learning.events import Member
from domain.learning.fleet import Candidate, Client, DataOffer
from domain.learning.policy import HIDING, CohortPolicy, PrivacySpec
from domain.learning.seeds import lot
from domain.refusal import Refusal
from domain.strict_json import printable

_LOTS = 1 << 256


def eligible(
    candidates: Iterable[Candidate], request: RunCycle, since: datetime, until: datetime
) -> tuple[Candidate, ...]:
    """Those that may be asked, in the order of their ids; whose rows are of `since` up to without `until`."""
    fit = (one for one in candidates if _reachable(one, request.cohort) and _able(one.client, request))
    having = (one for one in fit if any(_offers(offer, request, since, until) for offer in one.client.data))
    return tuple(sorted(having, key=lambda one: one.client.id))


def is_poisson(privacy: PrivacySpec) -> bool:
    """Whether each client is drawn by a lot of its own, as amplification by sampling wants it."""
    return privacy.sampling == "secret" and privacy.method in ("differential_privacy", "hybrid")


def draw(
    candidates: Sequence[Candidate],
    policy: CohortPolicy,
    seed: int,
    round_: int,
    attempt: int,
    *,
    poisson: bool = False,
    always: str | None = None,
) -> tuple[Member, ...]:
    """The cohort of an attempt, in the order of its clients' ids.

    The order is that of SHA-256(seed, round, attempt, client), and the first client of a subject stands for
    it. `poisson`: each subject takes part with the probability size / subjects (Poisson sampling: Abadi et
    al. 2016, section 3), so that there may be fewer than `minimum`, or more than `size`. `always`: a client
    that is in every cohort: the holder of a key.

    Raises:
        Refusal: `share`, `minimum` and `size` cannot be had together of these candidates, or `always` is
            none of them.
    """
    size, _ = odds(candidates, policy)
    ranked = sorted(candidates, key=lambda one: lot(seed, round_, attempt, one.client.id))
    if always is not None:
        ranked.sort(key=lambda one: one.client.id != always)
        if not ranked or ranked[0].client.id != always:
            raise Refusal(
                "privacy.key_holder",
                f"{printable(always, 60)} is not among the {len(ranked):,} eligible; name one that is",
            )
    firsts = list({subject_of(one.client): one for one in reversed(ranked)}.values())[::-1]
    firsts.sort(key=lambda one: one.client.id != always)
    if poisson:
        bound = Fraction(size, len(firsts)) * _LOTS
        drawn = [one for one in firsts if _chance(seed, round_, attempt, subject_of(one.client)) < bound]
    else:
        drawn = firsts[:size]
    members = (Member(one.client.id, one.host, one.region) for one in drawn)
    return tuple(sorted(members, key=lambda member: member.client))


def odds(candidates: Sequence[Candidate], policy: CohortPolicy) -> tuple[int, int]:
    """How many are asked, of how many subjects, each of which takes part once a round.

    Raises:
        Refusal: as `draw`.
    """
    size = cohort_size(len(candidates), policy)
    subjects = len({subject_of(one.client) for one in candidates})
    if subjects < size:
        if subjects < (policy.size or policy.minimum):
            raise Refusal(
                "cohort",
                f"{len(candidates):,} eligible clients are of {subjects:,} subjects, of which each takes "
                f"part once a round: fewer than {'size' if policy.size else 'minimum'} "
                f"{policy.size or policy.minimum:,}; lower it",
            )
        size = subjects
    return size, subjects


def cohort_size(count: int, policy: CohortPolicy) -> int:
    """How many of `count` eligible clients are asked.

    Raises:
        Refusal: the policy contradicts itself for that many.
    """
    most = allowed(count, policy.share)
    share = Fraction(repr(policy.share))
    if most < policy.minimum:
        if share == 1:
            raise Refusal(
                "cohort",
                f"{count:,} eligible, fewer than minimum {policy.minimum:,}: "
                "announce more clients, loosen the floors, or lower minimum",
            )
        raise Refusal(
            "cohort",
            f"share {policy.share:g} of {count:,} eligible allows {most:,}, fewer than minimum "
            f"{policy.minimum:,}: that needs more than {int(policy.minimum / share):,} eligible, or set both",
        )
    if policy.size is None:
        return min(most, -(-3 * policy.minimum // 2))
    if policy.size > most:
        raise Refusal(
            "cohort",
            f"share {policy.share:g} of {count:,} eligible allows {most:,}, fewer than size {policy.size:,}: "
            "raise share, or lower size",
        )
    return policy.size


def allowed(count: int, share: float) -> int:
    """The most that are less than `share` of `count`; all of them where the share is 1."""
    exact = Fraction(repr(share))
    return count if exact == 1 else max(0, -(-exact.numerator * count // exact.denominator) - 1)


def subject_of(client: Client) -> str:
    """Whose data a client's is."""
    return client.id if client.subject is None else client.subject


def _chance(seed: int, round_: int, attempt: int, subject: str) -> int:
    return int.from_bytes(lot(seed, round_, attempt, "subject", subject), "big")


def _reachable(one: Candidate, policy: CohortPolicy) -> bool:
    client = one.client
    return (
        (not policy.regions or one.region in policy.regions)
        and client.network_mbps >= policy.network_mbps
        and client.charging is not False
        and client.unmetered is not False
    )


def _able(client: Client, request: RunCycle) -> bool:
    # Messages of methods that hide updates are signed: one who cannot would end the attempt for everybody.
    method = request.privacy.method
    known = client.identity is not None or method not in HIDING
    encrypts = client.encrypts is not False or method != "homomorphic_encryption"
    return known and encrypts and request.trainer.name in client.trainers


def _offers(offer: DataOffer, request: RunCycle, since: datetime, until: datetime) -> bool:
    return (
        offer.name == request.data.name
        and offer.rows > 0
        and offer.quality >= request.cohort.quality
        and (offer.since is None or offer.since < until)
        and (offer.until is None or offer.until > since)
    )
