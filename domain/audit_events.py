"""What the audit writes down. Stored names: change none without an upcaster."""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class CheckpointSigned:
    """The first `size` records of one partition were sealed under a signed Merkle root.

    `origin` is `<cluster>/<topic>/<partition>`, the log that the checkpoint speaks of. `root` is the RFC 6962
    tree head, base64 of 32 bytes. `checkpoint` is the signed note as it stands (C2SP tlog-checkpoint), which
    needs nothing else to be checked but the public key.
    """

    TYPE: ClassVar[str] = "audit.checkpoint_signed.v1"
    origin: str
    size: int
    root: str
    checkpoint: str


AuditEvent = CheckpointSigned
EVENTS: tuple[type[AuditEvent], ...] = (CheckpointSigned,)
