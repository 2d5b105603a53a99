"""The keys that were announced, one after another, and what each of them may have signed."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from audit import note
from audit.checkpoint import Checkpoint, open_checkpoint
from audit.key_statement import KeyStatement
from audit.note import VerifierKey
from domain.counting import counted
from domain.refusal import Refusal
from domain.strict_json import printable

_FIELD = "key"


@dataclass(frozen=True, slots=True)
class Link:
    """One key's beginning. `joined` says that the key before it signed it too."""

    statement: KeyStatement
    note: str
    joined: bool


@dataclass(slots=True)
class KeyChain:
    """Every announced key of one cluster, in order; `origin` is the chain's name in each statement.

    A key's word counts for a log from where the key before it ended up to where it ended itself: so whoever
    finds an old key cannot sign anything new with it. Nobody's word makes a key lost that is `held` here: the
    topic is open to whoever may write to Kafka, and would else end the sealing with one record.
    """

    origin: str
    links: list[Link] = field(default_factory=list)
    held: VerifierKey | None = None

    @property
    def current(self) -> VerifierKey | None:
        """The key that signs; None before the first."""
        return self.links[-1].statement.key if self.links else None

    def add(self, signed: str) -> bool:
        """Take in the next statement; whether it is new.

        Raises:
            Refusal: it is not the next one, or not signed as it has to be.
        """
        if any(link.note == signed for link in self.links):
            return False
        raw = signed.encode()
        text, bears = note.read_note(raw)
        statement = KeyStatement.parse(text)
        note.open_note(raw, [statement.key])
        before = self.current
        if statement.origin != self.origin:
            raise Refusal(_FIELD, f"is announced for {printable(statement.origin)}, not {self.origin}")
        if (statement.number, statement.replaces) != (len(self.links) + 1, before):
            follows = f"follows {before.short}" if before else "is the first"
            raise Refusal(_FIELD, f"{statement.key.short} is announced, but is not the one that {follows}")
        joined = before is not None and before.short in bears
        if joined and before is not None:
            note.open_note(raw, [before])
        if before is not None and not joined and statement.lost is None:
            raise Refusal(_FIELD, f"{statement.key.short} is announced, but {before.short} did not sign that")
        if before is not None and not joined and before == self.held:
            raise Refusal(_FIELD, f"{before.short} is said to be lost, but it is here: that is forged")
        self.links.append(Link(statement, signed, joined))
        return True

    def open(self, raw: bytes, origin: str | None = None) -> Checkpoint:
        """The checkpoint in a note that an announced key signed while it was that key's turn.

        Raises:
            Refusal: it is malformed, another log's, or signed by no key that was announced for it.
        """
        _, bears = note.read_note(raw)
        signed = [place for place, link in enumerate(self.links) if link.statement.key.short in bears]
        if not signed:
            who = printable(" and ".join(bears), 200)
            raise Refusal("checkpoint", f"is signed by {who}, a key that was never announced")
        checkpoint = open_checkpoint(raw, [self.links[place].statement.key for place in signed], origin)
        for place in signed:
            end = self._end(place, checkpoint.origin)
            if end is None or checkpoint.size <= end:
                return checkpoint
        key = self.links[signed[-1]].statement.key.short
        size = counted(checkpoint.size, "record")
        raise Refusal("checkpoint", f"of {size} is signed by {key}, which was replaced before")

    def mistrusted(self, keys: Sequence[VerifierKey]) -> dict[int, str]:
        """Which numbers of the chain are linked by no signature to one of `keys`: what is wrong, by number.

        Of several keys that are linked among each other only the first is named.
        """
        starts = [place for place, link in enumerate(self.links) if not link.joined]
        found = {}
        for start, end in zip(starts, [*starts, len(self.links)][1:], strict=True):
            if not any(link.statement.key in keys for link in self.links[start:end]):
                found[start + 1] = _unlinked(self.links[start].statement, keys)
        return found

    def breaks(self) -> list[str]:
        """Where a key was lost, and who says so."""
        return [
            f"key {link.statement.number}, {link.statement.key.short}, is not signed by the key before it:"
            f" lost, says {printable(link.statement.lost, 300)}"
            for link in self.links[1:]
            if not link.joined and link.statement.lost is not None
        ]

    def _end(self, place: int, origin: str) -> int | None:
        return None if place + 1 == len(self.links) else self.links[place + 1].statement.end_of(origin)


def _unlinked(statement: KeyStatement, keys: Sequence[VerifierKey]) -> str:
    trusted = " or ".join(key.short for key in keys)
    return (
        f"no signature links key {statement.number}, {statement.key}, with {trusted}:"
        " to trust it too, give it as a further --key"
    )
