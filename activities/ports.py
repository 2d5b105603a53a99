"""What activities need of the world; `workers/` hands them the real thing, unit tests a conforming fake."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from domain.artifact import ArtifactRef
from domain.event import Event
from domain.reasoning.question import Question
from domain.reasoning.verdict import Verdict


class EventLog(Protocol):
    """The log that decisions are written to."""

    async def append(self, topic: str, events: Sequence[Event]) -> object:
        """Write all `events` in order and return when every one is durable on all replicas.

        What is returned is the log's own affair; nothing here looks at it.

        Raises:
            domain.refusal.Refusal: an event is too large or not storable; none of `events` was written.
            FileNotFoundError: the log has no such topic; nothing was written.
            TimeoutError: the log did not answer in time; a retry with the same events is safe.
        """
        ...


class Reasoner(Protocol):
    """Whoever answers a question: rules, a model, a person, a program of one's own."""

    @property
    def name(self) -> str:
        """Who it is, for the record."""
        ...

    async def verdict(self, question: Question) -> Verdict:
        """One of the positions, or none; `activities.asking` holds the answer to the question."""
        ...


class Answers(Protocol):
    """What was answered before, under the digest of what was asked."""

    async def answered(self, key: str) -> bytes | None:
        """The answer that was kept under `key` (64 hex digits), or None."""
        ...

    async def keep(self, key: str, answer: bytes) -> None:
        """Keep `answer`, whole and durable, in place of one that was kept before."""
        ...


class ArtifactStore(Protocol):
    """Large values by reference."""

    async def put(self, content: bytes) -> ArtifactRef:
        """Store `content` under its digest; storing it again changes nothing."""
        ...

    async def get(self, ref: ArtifactRef) -> bytes:
        """Read and check against the digest.

        Raises:
            domain.refusal.Refusal: it is missing, or its bytes are not what the reference says.
        """
        ...


@dataclass(frozen=True, slots=True)
class Standing:
    """A voter's reputation on one topic: Beta(alpha, beta), already decayed to the time asked for."""

    alpha: float
    beta: float


@dataclass(frozen=True, slots=True)
class Standings:
    """Standings read at one moment, and how far the log was counted by then: an offset for each partition."""

    voters: Mapping[str, Standing]
    offsets: tuple[int, ...]


class Reputations(Protocol):
    """What final rulings have said of voters so far."""

    async def standings(self, topic: str, voters: Sequence[str], at: float) -> Standings:
        """One standing for each of `voters` that has one, decayed to `at` (seconds since the epoch)."""
        ...


class Streams(Protocol):
    """What the read model knows of streams; it may lag behind the log."""

    async def last_event(self, stream: str) -> str | None:
        """The id of the newest projected event of `stream`, or None where none is known.

        Raises:
            OSError, TimeoutError: the read model cannot be asked now.
        """
        ...
