"""A model's versions taken again: whatever a policy decided must follow from the events before it."""

from dataclasses import replace

from audit.divergent import Divergent
from domain.event import Event
from domain.learning.versions import commands as c
from domain.learning.versions import decide
from domain.learning.versions import events as e
from domain.learning.versions.state import NO_MODEL, ModelState, fold
from domain.refusal import Refusal
from domain.strict_json import printable

_ANY_SHARE = 0.5
"""What a canary is tried on, how, and by which seed, only the cycle says: any will do here."""


class VersionsReplay:
    """Event by event; one that cannot follow ends it. `versions`: published. `divergent`: what differs.

    What a person said, and what was observed, follows from nothing on the log.
    """

    def __init__(self) -> None:
        self.versions = 0
        self.divergent: list[Divergent] = []
        self._state, self._over = NO_MODEL, False
        self._due: list[tuple[e.ModelEvent, ...]] = []

    def take(self, event: Event) -> None:
        """The next event of the stream."""
        if self._over:
            return
        before = self._state
        try:
            self._state = fold(before, event)
            self._check(before, event.data)  # type: ignore[arg-type] # the fold takes no others
        except Refusal as refusal:
            self._over = True
            self.divergent.append(Divergent(event.stream, event.id, event.type, str(refusal)))
        self.versions += isinstance(event.data, e.VersionPublished) and not self._over

    def _check(self, before: ModelState, data: e.ModelEvent) -> None:
        if self._due:
            follows = self._due.pop(0)
            if _plain(data) not in follows:
                raise Refusal("data", f"{_told(data)} is recorded where {_told(follows[0])} follows")
            return
        if _by_policy(data):
            raise Refusal("authority", f"no event before it makes the policy say: {_told(data)}")
        said, self._due = _decided(before, data)
        if said != data:
            raise Refusal("data", f"{_told(data)} is recorded where {_told(said)} follows")


def _decided(before: ModelState, data: e.ModelEvent) -> tuple[e.ModelEvent, list[tuple[e.ModelEvent, ...]]]:
    """The event as it must be, and after it what must follow at once, each with its alternatives."""
    match data:
        case e.VersionPublished():
            served, tried = (decide.publish(before, _command(data, share)) for share in (0.0, _ANY_SHARE))
            pairs = [(_plain(one), _plain(two)) for one, two in zip(served, tried, strict=True)]
            return served[0], [*pairs[1:]]
        case e.CanaryEvaluated():
            made = decide.judge(before, c.JudgeCanary(data.version, data.results, data.unheard))
        case e.DriftDetected():
            made = decide.record_drift(before, c.DriftFound(data.before, data.after, data.newest))
        case _:
            return data, []
    if not made:
        raise Refusal("data", f"nothing is to be said: {_told(data)}")
    return made[0], [(one,) for one in made[1:]]


def _command(data: e.VersionPublished, canary: float) -> c.PublishVersion:
    return c.PublishVersion(
        cycle=data.cycle,
        artifact=data.artifact,
        digest=data.digest,
        parent=data.parent,
        participants=data.participants,
        lineage=data.lineage,
        loss=data.loss,
        accuracy=data.accuracy,
        canary=canary,
        tolerance=0.0,
        seed=0,
        digests=data.digests,
        evaluation=data.evaluation,
    )


def _plain(data: e.ModelEvent) -> e.ModelEvent:
    if isinstance(data, e.CanaryStarted):
        return replace(data, share=_ANY_SHARE, tolerance=0.0, seed=0)
    return data


def _by_policy(data: e.ModelEvent) -> bool:
    if isinstance(data, e.Promoted | e.RolledBack):
        return data.authority == "policy"
    return isinstance(data, e.CanaryStarted)


def _told(data: e.ModelEvent) -> str:
    return printable(str(data), 200)
