"""The one port of all privacy methods: what a node sends of its update, and what the aggregator learns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from domain.learning.events import PrivacyMetadata
from domain.learning.policy import PrivacySpec
from domain.learning.privacy_level import PrivacyLevel
from domain.learning.tensors import Schema, Tensors
from domain.learning.update import ClientUpdate
from domain.refusal import Refusal

OVERSPENT = "privacy.budget"
"""The field of a refusal after which no other cohort is drawn: somebody's budget would be passed."""


class RoundLost(Refusal):
    """This attempt cannot be summed, for instance since too few shares came in; another attempt may."""


@dataclass(frozen=True, slots=True)
class Session:
    """One attempt of one round, the same for everybody in it. `cohort`: client ids, sorted.

    `identities`: the Ed25519 public keys (base64) that the roster has, by client. `eligible`: from how many
    subjects the cohort was drawn; `size`: how many were to be, where lots decide who is (0: just these).
    `rounds`: how many the cycle has. `shard`: which part of a large cohort this is
    (`domain.learning.shards`); each part is a session of its own. `aggregator_key`: what
    `AggregatorHalf.prepare` gave. `weight_cap`: a weight beyond it counts as it where weights travel hidden;
    the nearer to the largest weight, the finer the sum. `salt`: the name that binds keys to this attempt.
    """

    cycle: str
    round: int
    attempt: int
    rounds: int
    cohort: tuple[str, ...]
    eligible: int
    identities: Mapping[str, str]
    spec: PrivacySpec
    schema: Schema
    subjects: Mapping[str, str] = field(default_factory=dict)
    aggregator_key: str = ""
    shard: int = 0
    size: int = 0
    weight_cap: int = 65_536

    @property
    def salt(self) -> str:
        return salt_of(self.cycle, self.round, self.attempt, self.shard)


def salt_of(cycle: str, number: int, attempt: int, shard: int = 0) -> str:
    """The name of one attempt of round `number`, for `AggregatorHalf.prepare` before there is a session."""
    return f"{cycle}/{number}/{attempt}/{shard}"


@dataclass(frozen=True, slots=True)
class Protected:
    """What leaves the node of an update, and what held for it."""

    content: bytes
    level: PrivacyLevel


@dataclass(frozen=True, slots=True)
class Passed:
    """What each client still in the session gets as its inbox; `dropped`: whose message is none, and why."""

    inboxes: Mapping[str, bytes]
    dropped: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sum:
    """What the aggregator may go on with: the sum of weight * change, and of weights.

    `clients`: whose updates are in it. `privacy`: what the method says of this release, where it knows more
    than its name; an accountant says what it costs.
    """

    total: Tensors
    weight: float
    clients: tuple[str, ...]
    privacy: PrivacyMetadata | None = None


class NodeHalf(Protocol):
    """A method on a node, for one client. Everything is safe to repeat: a repeat gives the same bytes."""

    async def exchange(self, step: str, session: Session, inbox: bytes) -> bytes:
        """Answer one message round of `Method.before` or `Method.after`.

        Raises:
            Refusal: what is asked would give away an update, or is not meant for this client.
        """
        ...

    async def protect(self, session: Session, update: ClientUpdate) -> Protected:
        """The update as it may leave the node.

        Raises:
            Refusal: another update was protected under this session before, or the method cannot take it.
        """
        ...

    async def close(self, session: Session) -> None:
        """Forget the secrets of an attempt that is over; it answers nothing more."""
        ...


class AggregatorHalf(Protocol):
    """A method at the aggregator; messages and updates by client."""

    async def prepare(self, salt: str) -> str:
        """The public key (base64) that clients of this attempt seal to; empty where nothing is sealed."""
        ...

    def route(self, step: str, session: Session, outboxes: Mapping[str, bytes]) -> Passed:
        """What each client still in the session gets as its inbox of `step`, and who is in it no more.

        Args:
            step: the message round that is about to begin.
            session: the attempt.
            outboxes: answers of the round before; for the first step of all, everybody in the cohort with
                empty bytes; for the first of `after`, the protected updates that came in, read as asked for.

        Raises:
            RoundLost: too few are left.
        """
        ...

    async def sum(
        self, session: Session, protected: Mapping[str, bytes], revealed: Mapping[str, bytes]
    ) -> Sum:
        """The sum, for methods that hide each update; `revealed` are the answers of the last of `after`.

        `protected` reads and checks a file whenever it is asked for one: ask once for each, one after the
        other, in a thread.

        Raises:
            RoundLost: the sum cannot be had of this attempt; the round is abandoned and tried again.
            Refusal: the cycle cannot go on, for instance since a budget would be passed.
        """
        ...

    async def close(self, salt: str) -> None:
        """Forget the secrets of an attempt whose sum is recorded, or that was abandoned."""
        ...


class Accountant(Protocol):
    """What a method with differential privacy says and charges; methods without one have none."""

    async def admit(self, session: Session, everybody: Sequence[str]) -> None:
        """Called before anybody of the session trains: charge what its release will spend.

        Args:
            session: the attempt, with the whole cohort.
            everybody: the subjects of all who were eligible.

        Raises:
            Refusal: a budget would be passed (the field is `OVERSPENT`); the cycle ends, and says so.
        """
        ...

    async def stated(self, session: Session) -> PrivacyMetadata:
        """What holds after this round's release, for the whole schedule so far."""
        ...


class Method(Protocol):
    """A privacy method.

    `individual`: whether strategies may be given each update, as a `ClientUpdate`'s file; else they are given
    the mean of `AggregatorHalf.sum` alone, because nobody sees more, or because only that is released.
    """

    @property
    def name(self) -> str: ...
    @property
    def individual(self) -> bool: ...
    @property
    def before(self) -> Sequence[str]: ...
    @property
    def after(self) -> Sequence[str]: ...
