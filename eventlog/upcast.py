"""Earlier versions of stored events, brought to today's form. Live, rebuild and audit all pass here.

A step turns the data of one stored version into the data of a later one, as plain JSON values. Steps chain
until they reach a type of the catalogue. A step, once released, is never changed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from eventlog.catalogue import BY_TYPE

Data = dict[str, Any]


class BallotCastV1(msgspec.Struct, gc=False):
    """A ballot as counted, in the first stored form.

    `confidence` was a whole percentage. An abstention was the empty string as its `choice`.
    """

    voter: str
    round: int
    choice: str
    confidence: Annotated[int, Meta(ge=0, le=100)] | None = None
    reason: str = ""
    changed: bool = False
    nonce: str | None = None


def _ballot_cast_v1(data: Data) -> Data:
    percent = data["confidence"]
    return data | {
        "choice": data["choice"] or None,
        "confidence": None if percent is None else percent / 100,
    }


@dataclass(frozen=True, slots=True)
class Upcaster:
    """`shape` is what the earlier version must look like, `becomes` the stored name that `step` leads to."""

    shape: type[msgspec.Struct]
    becomes: str
    step: Callable[[Data], Data]


UPCASTERS: dict[str, Upcaster] = {
    "consensus.ballot_cast.v1": Upcaster(BallotCastV1, "consensus.ballot_cast.v2", _ballot_cast_v1),
}


def to_current(stored: str, data: msgspec.Struct) -> Any:
    """The event that data stored under the earlier name `stored` is today.

    Raises:
        msgspec.ValidationError: what the steps made is not the data of that event.
    """
    plain = msgspec.structs.asdict(data)
    while (step := UPCASTERS.get(stored)) is not None:
        plain = step.step(plain)
        stored = step.becomes
    return msgspec.convert(plain, BY_TYPE[stored])
