"""Why announced clients are not eligible, counted: what somebody must change whose cohort is too small."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime

from domain.learning.commands import RunCycle
from domain.learning.fleet import Candidate, DataOffer
from domain.learning.selection import eligible
from domain.strict_json import printable


def obstacles(candidates: Iterable[Candidate], request: RunCycle, since: datetime, until: datetime) -> str:
    """Of each client that is not eligible the first obstacle, the most frequent first; empty without any."""
    every = list(candidates)
    able = {one.client.id for one in eligible(every, request, since, until)}
    found = Counter(_obstacle(one, request, since, until) for one in every if one.client.id not in able)
    if not found:
        return ""
    told = ", ".join(f"{count:,} {why}" for why, count in found.most_common())
    return f"of {len(every):,} announced: {told}"


def _obstacle(one: Candidate, request: RunCycle, since: datetime, until: datetime) -> str:
    client, cohort = one.client, request.cohort
    offers = [offer for offer in client.data if offer.name == request.data.name]
    encrypted = request.privacy.method == "homomorphic_encryption"
    first = {
        f"without the trainer {printable(request.trainer.name, 40)}": (
            request.trainer.name not in client.trainers
        ),
        "without the extra 'encryption'": encrypted and client.encrypts is False,
        "of other regions": bool(cohort.regions) and one.region not in cohort.regions,
        "on battery": client.charging is False,
        "on a metered link": client.unmetered is False,
        f"below {cohort.network_mbps:g} Mbit/s": client.network_mbps < cohort.network_mbps,
        f"without data '{request.data.name}'": not any(offer.rows for offer in offers),
        "without rows of the time range": not any(_timely(offer, since, until) for offer in offers),
        f"of a quality below {cohort.quality:g}": all(offer.quality < cohort.quality for offer in offers),
    }
    return next((why for why, holds in first.items() if holds), "without an identity")


def _timely(offer: DataOffer, since: datetime, until: datetime) -> bool:
    return (offer.since is None or offer.since < until) and (offer.until is None or offer.until > since)
