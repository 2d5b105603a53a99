"""The published checkpoints held against the public key, each other, and the copies in the database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from audit.checkpoint import Checkpoint
from audit.finding import Finding
from audit.key_check import WHERE, KeyCheck
from audit.published import TOPIC, stream_of
from audit.strict_text import to_base64
from domain.audit_events import CheckpointSigned, KeyAnnounced
from domain.event import Event, event_id
from domain.refusal import Refusal
from projections.checkpoints import CheckpointRow


@dataclass(slots=True)
class CheckpointCheck:
    """Collects the sound checkpoints of each origin; whatever is not sound becomes a finding.

    `keys` knows who may sign; `origins` are the logs that exist here, each with its name for people
    (`topic/partition`).
    """

    keys: KeyCheck
    origins: Mapping[str, str]
    findings: list[Finding] = field(default_factory=list)
    signatures: int = 0
    _sound: dict[str, dict[int, Checkpoint]] = field(default_factory=dict)
    _published: dict[tuple[str, int], tuple[str, int, datetime]] = field(default_factory=dict)
    _seen: dict[str, dict[int, Event]] = field(default_factory=dict)

    def passed_on(self) -> None:
        """Take what the announced keys said when they began: every log has to pass through that as well."""
        for offset, end in self.keys.ends():
            self._keep(WHERE, offset, end)

    def sound(self, origin: str) -> list[Checkpoint]:
        """What the key signed for this log, ascending by size."""
        return sorted(self._sound.get(origin, {}).values(), key=lambda c: c.size)

    def published(self, where: str, offset: int, event: Event) -> None:
        """Take one event of the topic `checkpoints`, read at `offset` of `where`."""
        data = event.data
        if isinstance(data, KeyAnnounced):
            return  # held against the chain before
        if not isinstance(data, CheckpointSigned):
            self.findings.append(Finding(where, f"{event.type} is no checkpoint", offset))
            return
        known = self._seen.setdefault(data.origin, {})
        if known.get(event.version) == event:
            return  # appended twice by a writer that could not know: the same event
        if not self._open(where, offset, event, data):
            return  # anybody may have written it: what the key's owner published is counted without it
        last = max(known, default=0)
        if event.version in known:
            self.findings.append(Finding(where, f"a second checkpoint number {event.version}", offset))
        elif event.version != last + 1:
            problem = f"checkpoint number {event.version} of {data.origin} follows {last}"
            self.findings.append(Finding(where, problem, offset))
        known[event.version] = event

    def witnessed(self, where: str, note: str) -> None:
        """Take a note that somebody kept at `where`: the log has to pass through it as through any other."""
        try:
            checkpoint = self.keys.open_kept(note.encode())
        except Refusal as refusal:
            self.findings.append(Finding(where, str(refusal)))
            return
        self.signatures += 1
        self._keep(where, None, checkpoint)
        if checkpoint.origin not in self.origins:
            self.findings.append(Finding(where, f"{checkpoint.origin} is no log of this cluster"))

    def kept(
        self, where: str, origin: str, before: Sequence[CheckpointRow], after: Sequence[CheckpointRow]
    ) -> None:
        """Hold the database's rows of one log, read before and after the topic, against the topic."""
        rows = {row.size: row for row in after}
        for (of, size), said in self._published.items():
            if of != origin:
                continue
            row = rows.get(size)
            if row is None:
                self.findings.append(Finding(where, f"the published checkpoint of {size} records is missing"))
            elif (row.note, row.version, row.sealed_at) != said or row.root != self._root(origin, size):
                self.findings.append(Finding(where, f"the row of {size} records is not what was published"))
        for row in before:
            if (origin, row.size) not in self._published:
                self._not_published(where, origin, row)

    def _root(self, origin: str, size: int) -> bytes:
        return self._sound[origin][size].root

    def _open(self, where: str, offset: int, event: Event, data: CheckpointSigned) -> bool:
        """Whether its note is one that the key signed, and that was not on the topic before."""
        try:
            checkpoint = self.keys.open(data.checkpoint.encode(), data.origin)
        except Refusal as refusal:
            self.findings.append(Finding(where, str(refusal), offset))
            return False
        self.signatures += 1
        said = (data.checkpoint, event.version, event.time)
        first = self._published.setdefault((data.origin, checkpoint.size), said)
        if first is not said and first[0] == data.checkpoint:
            problem = f"the checkpoint of {checkpoint.size} records again, as number {event.version}"
            self.findings.append(Finding(where, problem, offset))
            return False
        if (data.size, data.root) != (checkpoint.size, to_base64(checkpoint.root)):
            self.findings.append(Finding(where, "the event's size and root are not its note's", offset))
        self._look_at_envelope(where, offset, event, data)
        self._keep(where, offset, checkpoint)
        return True

    def _keep(self, where: str, offset: int | None, checkpoint: Checkpoint) -> None:
        origin, size = checkpoint.origin, checkpoint.size
        first = self._sound.setdefault(origin, {}).setdefault(size, checkpoint)
        if first.root != checkpoint.root:
            problem = f"split view: two signed roots of {origin} at {size} records"
            self.findings.append(Finding(where, problem, offset))

    def _look_at_envelope(self, where: str, offset: int, event: Event, data: CheckpointSigned) -> None:
        """What nobody signs is said twice: the log by stream and origin, the rest by the event's id."""
        name = self.origins.get(data.origin)
        if name is None:
            self.findings.append(Finding(where, f"{data.origin} is no log of this cluster", offset))
        elif event.stream != _stream(name):
            self.findings.append(Finding(where, f"its stream is not that of {name}'s checkpoints", offset))
        elif event.id != event_id(event.time, event.stream, event.version, data.checkpoint):
            problem = "its id is not the one that its time, stream, number and note give"
            self.findings.append(Finding(where, problem, offset))

    def _not_published(self, where: str, origin: str, row: CheckpointRow) -> None:
        if row.published:
            self.findings.append(Finding(where, f"the row of {row.size} records is not on the topic {TOPIC}"))
            return
        try:  # signed and kept, but its writer stopped before it was published
            checkpoint = self.keys.open(row.note.encode(), origin)
        except Refusal as refusal:
            self.findings.append(Finding(where, str(refusal)))
            return
        self.signatures += 1
        if (row.size, row.root) != (checkpoint.size, checkpoint.root):
            self.findings.append(Finding(where, f"the row of {row.size} records is not what its note says"))
            return
        self._sound.setdefault(origin, {}).setdefault(row.size, checkpoint)


def _stream(name: str) -> str:
    topic, _, partition = name.rpartition("/")
    return stream_of(topic, int(partition))
