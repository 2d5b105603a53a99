"""Who holds the key of an encrypted sum, and what it lets out of what it decrypted."""

import hashlib
from dataclasses import dataclass

import numpy as np

from activities.privacy import ckks
from activities.privacy.attempt import Attempt
from activities.privacy.port import RoundLost, Session
from activities.privacy.primitives import Stream, signed_by
from activities.privacy.terms import Terms
from activities.privacy.wire import SIGNATURE_BYTES
from domain.learning.fixed_point import Numbers
from domain.refusal import Refusal
from domain.strict_json import printable

BEYOND = 2
"""Numbers that follow those of an update: the weight over the cap, and one, which counts the clients."""
GRAIN = 2.0**-12
"""Numbers between plus and minus this are added to what is decrypted, in units of the clip."""

WEIGHT_BYTES = 8


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds the key, and where it is in the cohort."""

    place: int
    name: str


def holder_of(terms: Terms, session: Session) -> Holder:
    """The key's holder.

    Raises:
        Refusal: it is not in the cohort, or the cohort is too large for one sum.
    """
    name = session.spec.key_holder
    if name is None:
        raise Refusal("key_holder", "is missing: name the client that makes and keeps the key")
    shown = printable(name, 60)
    if name not in terms.places:
        raise Refusal(
            "key_holder",
            f"{shown} is not in this cohort; where everybody is asked (share 1), it always is",
        )
    if len(terms.cohort) > ckks.MOST:
        raise Refusal("cohort", f"{len(terms.cohort)} clients are more than the {ckks.MOST} of one sum")
    return Holder(terms.places[name], shown)


def released(attempt: Attempt, values: Numbers, clients: int) -> bytes:
    """What of the decrypted numbers the aggregator gets: float32, then the weight, a whole number.

    Raises:
        Refusal: they are not what a sum of that many updates can be.
    """
    cap = attempt.terms.fixed.cap
    count, weight = float(values[-1]), float(values[-2]) * cap
    counted = abs(count - clients) <= GRAIN and clients - GRAIN <= weight <= clients * cap + GRAIN
    if not counted:  # also where a number is none
        raise Refusal("decrypt", f"what came is no sum of {clients} updates: it counts {count:.3f}")
    change = values[:-BEYOND]
    if not _most(change) <= weight / cap + GRAIN:
        raise Refusal("decrypt", f"what came is no sum of {clients} updates: a number is beyond their clips")
    # What CKKS is off by depends on the key, and would give it away (Li and Micciancio 2021).
    drawn = np.frombuffer(Stream(attempt.derived(b"grain"))(4 * change.size), "<i4") * (GRAIN / 2**31)
    numbers: bytes = (change + drawn).astype("<f4").tobytes()
    return numbers + round(weight).to_bytes(WEIGHT_BYTES, "big")


def believed(terms: Terms, plain: bytes, clients: int, name: str) -> tuple[Numbers, int]:
    """What the holder let out, as far as it can be the sum of that many updates: in units of the clip.

    Raises:
        RoundLost: the holder made up its length, its weight or its numbers.
    """
    count, cap = terms.size - 1, terms.fixed.cap
    if len(plain) != 4 * count + WEIGHT_BYTES:
        raise RoundLost(
            f"sum of {name}", f"has {len(plain)} bytes, which are not {count} numbers and a weight"
        )
    weight = int.from_bytes(plain[-WEIGHT_BYTES:], "big")
    if not clients <= weight <= clients * cap:
        raise RoundLost(
            f"sum of {name}", f"weighs {weight}, but {clients} updates weigh {clients} to {clients * cap}"
        )
    values = np.frombuffer(plain[:-WEIGHT_BYTES], "<f4").astype(np.float64)
    if not _most(values) <= weight / cap + 3 * GRAIN:  # that of the check, that which was added, and rounding
        raise RoundLost(
            f"sum of {name}", f"holds a number that no {clients} updates within the clip add up to"
        )
    return values, weight


def _most(values: Numbers) -> float:
    """NaN where one of them is."""
    return float(np.abs(values).max(initial=0.0))


def statement(terms: Terms, content: bytes) -> bytes:
    return b"folkmoot/encrypted-sum\0" + terms.digest + hashlib.sha256(content).digest()


def said_by(terms: Terms, holder: Holder, answer: bytes) -> bytes | None:
    """What follows the holder's signature; None where it did not sign."""
    signature, content = answer[:SIGNATURE_BYTES], answer[SIGNATURE_BYTES:]
    signed = signed_by(terms.identities[holder.place], signature, statement(terms, content))
    return content if signed else None
