"""The published checkpoints held against the public key, each other, and the copies in the database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from audit.checkpoint import Checkpoint, open_checkpoint
from audit.finding import Finding
from audit.note import VerifierKey
from audit.strict_text import to_base64
from domain.audit_events import CheckpointSigned
from domain.event import Event
from domain.refusal import Refusal


@dataclass(frozen=True, slots=True)
class Kept:
    """A checkpoint as the database has it; `published` says that the topic has it too."""

    topic: str
    partition: int
    size: int
    root: bytes
    note: str
    version: int
    sealed_at: datetime
    published: bool


@dataclass(slots=True)
class CheckpointCheck:
    """Collects the sound checkpoints of each origin; whatever is not sound becomes a finding.

    `origins` are the logs that exist here, each with its name for people (`topic/partition`).
    """

    keys: Sequence[VerifierKey]
    origins: Mapping[str, str]
    findings: list[Finding] = field(default_factory=list)
    signatures: int = 0
    _sound: dict[str, dict[int, Checkpoint]] = field(default_factory=dict)
    _notes: dict[tuple[str, int], str] = field(default_factory=dict)
    _seen: dict[str, dict[int, str]] = field(default_factory=dict)

    def sound(self, origin: str) -> list[Checkpoint]:
        """What the key signed for this log, ascending by size."""
        return sorted(self._sound.get(origin, {}).values(), key=lambda c: c.size)

    def published(self, where: str, offset: int, event: Event) -> None:
        """Take one event of the topic `checkpoints`, read at `offset` of `where`."""
        data = event.data
        if not isinstance(data, CheckpointSigned):
            self.findings.append(Finding(where, f"{event.type} is no checkpoint", offset))
            return
        known = self._seen.setdefault(data.origin, {})
        if known.get(event.version) == event.id:
            return  # appended twice by a writer that could not know: the same event
        if event.version in known:
            self.findings.append(Finding(where, f"a second checkpoint number {event.version}", offset))
        elif event.version != len(known) + 1:
            self.findings.append(
                Finding(
                    where, f"number {event.version} of {data.origin} does not follow {len(known)}", offset
                )
            )
        known[event.version] = event.id
        self._open(where, offset, data)

    def kept(self, where: str, origin: str, rows: Sequence[Kept]) -> None:
        """Hold the database's copies of one log against what was published."""
        by_size = {row.size: row for row in rows}
        for (of, size), note in self._notes.items():
            if of != origin:
                continue
            row = by_size.get(size)
            if row is None:
                self.findings.append(Finding(where, f"the published checkpoint of {size} records is missing"))
            elif (row.note, row.root) != (note, self._sound[origin][size].root):
                self.findings.append(
                    Finding(where, f"the checkpoint of {size} records is not the published one")
                )
        for row in rows:
            if (origin, row.size) in self._notes:
                continue
            if row.published:
                self.findings.append(
                    Finding(where, f"the checkpoint of {row.size} records is not on the topic checkpoints")
                )
            else:  # signed and kept, but its writer stopped before it was published
                self._unpublished(where, origin, row)

    def _open(self, where: str, offset: int | None, data: CheckpointSigned) -> None:
        try:
            checkpoint = open_checkpoint(data.checkpoint.encode(), self.keys, data.origin)
        except Refusal as refusal:
            self.findings.append(Finding(where, str(refusal), offset))
            return
        self.signatures += 1
        if (data.size, data.root) != (checkpoint.size, to_base64(checkpoint.root)):
            self.findings.append(Finding(where, "the event's size and root are not its note's", offset))
        if data.origin not in self.origins:
            self.findings.append(Finding(where, f"{data.origin} is no log of this cluster", offset))
        first = self._sound.setdefault(data.origin, {}).setdefault(checkpoint.size, checkpoint)
        if first.root != checkpoint.root:
            self.findings.append(
                Finding(
                    where,
                    f"split view: two signed roots of {data.origin} at {checkpoint.size} records",
                    offset,
                )
            )
        self._notes.setdefault((data.origin, checkpoint.size), data.checkpoint)

    def _unpublished(self, where: str, origin: str, row: Kept) -> None:
        try:
            checkpoint = open_checkpoint(row.note.encode(), self.keys, origin)
        except Refusal as refusal:
            self.findings.append(Finding(where, str(refusal)))
            return
        self.signatures += 1
        if (row.size, row.root) != (checkpoint.size, checkpoint.root):
            self.findings.append(Finding(where, f"the row of {row.size} records is not what its note says"))
            return
        self._sound.setdefault(origin, {}).setdefault(row.size, checkpoint)
