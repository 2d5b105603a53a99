"""What a person decides about a parked record. Parking itself is no event: it is derived from the log."""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Discarded:
    """A person gave up one parked record: its stream goes on without it.

    `dead_letter` is the parked record's own id; `topic`, `partition` and `offset` are where it lies on the
    log, and stays. `stream` is the stream that it stopped, null where its record names none. `who` is the
    person that answers for it, and `why` what they said.
    """

    TYPE: ClassVar[str] = "deadletters.discarded.v1"
    dead_letter: str
    topic: str
    partition: int
    offset: int
    stream: str | None
    who: str
    why: str


DeadLetterEvent = Discarded
EVENTS: tuple[type[DeadLetterEvent], ...] = (Discarded,)
