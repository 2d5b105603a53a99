"""The announced keys held against the trusted ones, and against the copies in the database."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from audit import announced
from audit.checkpoint import Checkpoint, open_checkpoint
from audit.finding import Finding
from audit.key_chain import KeyChain
from audit.key_statement import KeyStatement
from audit.note import VerifierKey
from domain.audit_events import CheckpointSigned, KeyAnnounced
from domain.event import Event
from domain.refusal import Refusal
from projections.signing_keys import KeyRow

WHERE = "checkpoints/0"


@dataclass(slots=True)
class KeyCheck:
    """Collects the chain of keys; whatever is no sound part of it becomes a finding.

    `trusted` are the keys that the auditor has from elsewhere. A key that signatures link with one of them is
    as good.
    """

    trusted: Sequence[VerifierKey]
    chain: KeyChain
    findings: list[Finding] = field(default_factory=list)
    _offsets: list[int] = field(default_factory=list)
    _announced: list[tuple[int, Event]] = field(default_factory=list)
    _loss_said: bool = False
    _since_a_loss: list[tuple[int, str]] = field(default_factory=list)

    @classmethod
    def of(cls, trusted: Sequence[VerifierKey], origins: Mapping[str, str]) -> "KeyCheck":
        """For the cluster whose logs have these `origins`, each with its `topic/partition`."""
        cluster = next((origin.removesuffix(name) for origin, name in origins.items()), "")
        return cls(trusted, KeyChain(f"{cluster}{announced.STREAM}"))

    def take(self, offset: int, event: Event) -> None:
        """Take one event of the topic `checkpoints`: a checkpoint by a key that is said to be lost counts."""
        match event.data:
            case KeyAnnounced(lost=lost):
                self._announced.append((offset, event))
                self._loss_said |= lost is not None
            case CheckpointSigned(checkpoint=signed) if self._loss_said:
                self._since_a_loss.append((offset, signed))
            case _:
                pass

    def judge(self, before: Sequence[KeyRow] | None, after: Sequence[KeyRow] | None) -> None:
        """When all were taken: name what is not trusted, and what the database has otherwise.

        `before` and `after` are its rows, read before and after the topic; None where there is no database.
        """
        for offset, event in self._announced:
            self._take(offset, event)
        for number, problem in self.chain.mistrusted(self.trusted).items():
            self.findings.append(Finding(WHERE, problem, self._offsets[number - 1]))
        said = {number: link.note for number, link in enumerate(self.chain.links, 1)}
        kept = {row.number: row.note for row in after or []}
        wrong = {number for number, note in said.items() if after is not None and kept.get(number) != note}
        wrong |= {row.number for row in before or [] if row.published and said.get(row.number) != row.note}
        for number in sorted(wrong):
            self.findings.append(Finding("signing_key", f"the row of key {number} is not what was announced"))

    def _take(self, offset: int, event: Event) -> None:
        try:
            signed = announced.from_event(event).note
            self._check_loss(offset, signed)
            if self.chain.add(signed):
                self._offsets.append(offset)
        except Refusal as refusal:
            self.findings.append(Finding(WHERE, str(refusal), offset))

    def _check_loss(self, offset: int, signed: str) -> None:
        """Nothing but the new key signs a loss, so whoever may write to the topic can forge one.

        Raises:
            Refusal: the auditor knows nothing of the new key, and the one before it signed on.
        """
        statement, before = KeyStatement.of_note(signed), self.chain.current
        if statement.lost is None or before is None or statement.key in self.trusted:
            return
        for later, checkpoint in self._since_a_loss:
            if later > offset and _goes_on(checkpoint, before, statement):
                raise Refusal(
                    "key",
                    f"{statement.key.short} is announced because {before.short} was lost, but that signed on"
                    f" at offset {later}: forged, unless you know better and trust {statement.key} by --key",
                )

    def open(self, raw: bytes, origin: str | None = None) -> Checkpoint:
        """The checkpoint in a note that the system published.

        Raises:
            Refusal: it is malformed, another log's, or not signed by a key whose turn it was.
        """
        return self.chain.open(raw, origin)

    def open_kept(self, raw: bytes) -> Checkpoint:
        """The checkpoint in a note that somebody kept: he may be the only one who still has it.

        Raises:
            Refusal: as `open`; where no key is announced (any more) the trusted ones count.
        """
        return self.chain.open(raw) if self.chain.links else open_checkpoint(raw, self.trusted)

    def ends(self) -> Iterator[tuple[int, Checkpoint]]:
        """Up to where each key signed each log, as the next one said, with that statement's offset."""
        for offset, link in zip(self._offsets, self.chain.links, strict=True):
            for end in link.statement.ends:
                yield offset, end


def _goes_on(signed: str, key: VerifierKey, loss: KeyStatement) -> bool:
    """Whether `key` signed a checkpoint beyond where its loss says that it ended."""
    try:
        checkpoint = open_checkpoint(signed.encode(), [key])
    except Refusal:
        return False
    return checkpoint.size > loss.end_of(checkpoint.origin)
