"""Checkpoints, as C2SP tlog-checkpoint writes them: what a log's first `size` leaves are, in three lines."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from audit import note
from audit.merkle import HASH_BYTES
from audit.strict_text import from_base64, from_decimal, to_base64
from domain.refusal import Refusal
from domain.strict_json import printable
from eventlog.topics import kafka_name

OriginOf = Callable[[str, int], str]
"""The name of a log, by its logical topic and partition."""


def origins(cluster: str, prefix: str) -> OriginOf:
    """How the logs of a cluster are called; its topics have `prefix` before their names in Kafka."""
    return lambda topic, partition: f"{cluster}/{kafka_name(prefix, topic)}/{partition}"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The root over the first `size` leaves of the log called `origin`."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """The text to be signed."""
        return f"{self.origin}\n{self.size}\n{to_base64(self.root)}\n"

    @classmethod
    def parse(cls, text: str) -> "Checkpoint":
        """Read a checkpoint's text; extension lines after the third are allowed and passed over.

        Raises:
            Refusal: a line is missing or not what it has to be.
        """
        lines = text.split("\n")
        if len(lines) < 4 or lines[-1] or not all(lines[:-1]):  # noqa: PLR2004 # origin, size, root, the end
            raise Refusal("checkpoint", "does not have the lines origin, size and root")
        return cls(lines[0], from_decimal(lines[1], "size"), from_base64(lines[2], "root", HASH_BYTES))


def open_checkpoint(raw: bytes, keys: Sequence[note.VerifierKey], origin: str | None = None) -> Checkpoint:
    """The checkpoint in a signed note, after its signature and, where given, its origin were checked.

    Raises:
        Refusal: it is malformed, not signed by one of `keys`, or another log's.
    """
    checkpoint = Checkpoint.parse(note.open_note(raw, keys))
    if origin is not None and checkpoint.origin != origin:
        raise Refusal("origin", f"is {printable(checkpoint.origin)}, not {printable(origin)}")
    return checkpoint
