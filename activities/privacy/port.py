"""The one port of all privacy methods: what a node sends of its update, and what the aggregator learns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from domain.learning.policy import PrivacySpec
from domain.learning.privacy_level import PrivacyLevel
from domain.learning.tensors import Schema, Tensors
from domain.learning.update import ClientUpdate


@dataclass(frozen=True, slots=True)
class Session:
    """One attempt of one round, the same for everybody in it. `cohort`: client ids, sorted.

    `identities`: the Ed25519 public keys (base64) that the roster has, by client. `eligible`: from how many
    the cohort was drawn. `rounds`: how many the cycle has. `shard`: which part of a large cohort this is
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
    aggregator_key: str = ""
    shard: int = 0
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
class Sum:
    """What the aggregator learned of updates it could not see: the sum of weight * change, and of weights."""

    total: Tensors
    weight: float
    clients: tuple[str, ...]


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
    """A method at the aggregator; messages and updates by client. The mappings may read as they are asked."""

    async def prepare(self, salt: str) -> str:
        """The public key (base64) that clients of this attempt seal to; empty where nothing is sealed."""
        ...

    def route(self, step: str, session: Session, outboxes: Mapping[str, bytes]) -> Mapping[str, bytes]:
        """What each client still in the session gets as its inbox of `step`.

        Args:
            step: the message round that is about to begin.
            session: the attempt.
            outboxes: answers of the round before; for the first step of all, everybody in the cohort with
                empty bytes; for the first of `after`, the protected updates that came in.

        Raises:
            Refusal: too few are left, or a message is none.
        """
        ...

    async def sum(
        self, session: Session, protected: Mapping[str, bytes], revealed: Mapping[str, bytes]
    ) -> Sum:
        """The sum, for methods that hide each update.

        Args:
            session: the attempt.
            protected: what the first step of `after` was routed from; each is read once.
            revealed: the answers of the last step of `after`.

        Raises:
            Refusal: too few revealed, or what they reveal does not give the sum.
        """
        ...

    async def close(self, salt: str) -> None:
        """Forget the secrets of an attempt whose sum is recorded."""
        ...


class Method(Protocol):
    """A privacy method. `individual`: whether the aggregator sees each update, as a `ClientUpdate`'s file."""

    name: str
    individual: bool
    before: Sequence[str]
    after: Sequence[str]
