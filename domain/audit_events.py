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


@dataclass(frozen=True, slots=True)
class KeyAnnounced:
    """From now on checkpoints are signed with another key, or with the first one.

    `key` is the public key that signs (a C2SP vkey), `replaces` the one before it; null for the first.
    `statement` is a signed note that says so, and with which size and root each log passed from key to key.
    Both keys signed it; where the one before was lost only the new one did, and `lost` says who states the
    loss, and why.
    """

    TYPE: ClassVar[str] = "audit.key_announced.v1"
    key: str
    replaces: str | None
    lost: str | None
    statement: str


AuditEvent = CheckpointSigned | KeyAnnounced
EVENTS: tuple[type[AuditEvent], ...] = (CheckpointSigned, KeyAnnounced)
