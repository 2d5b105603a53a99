"""A round of a learning cycle as the read model has it: who was asked, what came of it, what it cost."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime

import msgspec

from domain.event import Event
from domain.learning.events import RoundAbandoned, RoundAggregated, RoundOpened, UpdatesCollected
from domain.refusal import ImpossibleEvent


class Round(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt of one round; `status` is `training`, `abandoned` or `aggregated`.

    `lost`: how many of the `asked` did not report, by why. Everything below it is the aggregation's.
    """

    round: int
    attempt: int
    status: str = "training"
    opened_at: datetime
    ended_at: datetime | None = None
    eligible: int
    asked: int
    reported: int = 0
    lost: dict[str, int] = msgspec.field(default_factory=dict)
    loss: float | None = None
    accuracy: float | None = None
    drift: float | None = None
    sent_bytes: int = 0
    raw_bytes: int = 0
    epsilon: float | None = None
    rule: str = ""
    clients: int = 0
    excluded: int = 0
    entered: str = ""
    digest: str = ""
    reason: str = ""


class Attempt(msgspec.Struct, frozen=True):
    """Clients of the attempt that is open: those asked, and those of whom it is known what came."""

    asked: frozenset[str]
    told: frozenset[str] = frozenset()


def opened(before: Round | None, event: Event, data: RoundOpened) -> tuple[Round, Attempt]:
    """The attempt that begins after the one `before`."""
    follows = (1, 1)
    if before is not None:
        if before.status == "training":
            raise ImpossibleEvent("round", f"round {before.round}, attempt {before.attempt} is still open")
        again = before.status == "abandoned"
        follows = (before.round, before.attempt + 1) if again else (before.round + 1, 1)
    if (data.round, data.attempt) != follows:
        raise ImpossibleEvent(
            "round", f"round {data.round}, attempt {data.attempt} does not follow, {follows} does"
        )
    asked = frozenset(member.client for member in data.cohort)
    if len(asked) != len(data.cohort):
        raise ImpossibleEvent("cohort", "it names a client twice")
    begun = Round(
        round=data.round,
        attempt=data.attempt,
        opened_at=event.time,
        eligible=data.eligible,
        asked=len(asked),
    )
    return begun, Attempt(asked)


def collected(at: Round, attempt: Attempt, data: UpdatesCollected) -> tuple[Round, Attempt]:
    """The attempt with what came in of a part of its cohort."""
    told = [*(report.client for report in data.reports), *(loss.client for loss in data.lost)]
    if len(set(told)) != len(told) or not attempt.told.isdisjoint(told):
        raise ImpossibleEvent("reports", "a client is counted twice")
    if not attempt.asked.issuperset(told):
        raise ImpossibleEvent("reports", "a client is told of that was not asked")
    lost = at.lost | _counts(at.lost, (loss.why for loss in data.lost))
    reported = at.reported + len(data.reports)
    return msgspec.structs.replace(at, reported=reported, lost=lost), Attempt(
        attempt.asked, attempt.told | frozenset(told)
    )


def abandoned(at: Round, event: Event, data: RoundAbandoned) -> Round:
    return msgspec.structs.replace(at, status="abandoned", ended_at=event.time, reason=data.reason)


def aggregated(at: Round, event: Event, data: RoundAggregated) -> Round:
    if data.clients + len(data.excluded) > at.reported:
        raise ImpossibleEvent("clients", f"{data.clients} entered, but {at.reported} reported")
    return msgspec.structs.replace(
        at,
        status="aggregated",
        ended_at=event.time,
        loss=data.loss,
        accuracy=data.accuracy,
        drift=data.drift,
        sent_bytes=data.sent_bytes,
        raw_bytes=data.raw_bytes,
        epsilon=data.privacy.epsilon,
        rule=data.rule,
        clients=data.clients,
        excluded=len(data.excluded),
        entered=data.entered,
        digest=data.digest,
    )


def _counts(before: dict[str, int], more: Iterable[str]) -> dict[str, int]:
    return dict(sorted((Counter(before) + Counter(more)).items()))
