"""Offline proofs in one file, as C2SP tlog-proof lays them out: an index, a path, a checkpoint."""

from collections.abc import Sequence
from dataclasses import dataclass

from audit import merkle, note
from audit.checkpoint import Checkpoint, open_checkpoint
from audit.strict_text import from_base64, from_decimal, to_base64
from domain.refusal import Refusal
from domain.strict_json import printable

_HEADER = "c2sp.org/tlog-proof@v1"
MAX_PROOF_BYTES = note.MAX_NOTE_BYTES + 10_000
_MAX_PATH = 63  # no deeper tree can be counted


@dataclass(frozen=True, slots=True)
class Proof:
    """That a leaf stands at `index` of the log which the signed note `checkpoint` describes."""

    index: int
    path: tuple[bytes, ...]
    checkpoint: bytes

    def encode(self) -> bytes:
        lines = [_HEADER, f"index {self.index}", *(to_base64(sibling) for sibling in self.path)]
        return ("\n".join(lines) + "\n\n").encode() + self.checkpoint

    @classmethod
    def parse(cls, raw: bytes) -> "Proof":
        """Read a proof file; an `extra` line, which nothing signs, is passed over.

        Raises:
            Refusal: it is no such file.
        """
        if len(raw) > MAX_PROOF_BYTES:
            raise Refusal("proof", f"{len(raw)} bytes are too many, at most {MAX_PROOF_BYTES} are read")
        head, empty_line, checkpoint = raw.partition(b"\n\n")
        lines = head.decode("utf-8", "replace").split("\n")
        if lines.pop(0) != _HEADER or not empty_line:
            raise Refusal("proof", f"is no proof file: it begins with {_HEADER} and holds an empty line")
        if lines and lines[0].startswith("extra "):
            from_base64(lines.pop(0).removeprefix("extra "), "extra")
        if not lines or not lines[0].startswith("index "):
            raise Refusal("proof", "has no index line")
        index = from_decimal(lines.pop(0).removeprefix("index "), "index")
        if len(lines) > _MAX_PATH:
            raise Refusal("proof", f"has a path of {len(lines)} hashes, which no tree is deep enough for")
        return cls(index, tuple(from_base64(line, "path", merkle.HASH_BYTES) for line in lines), checkpoint)

    def check(self, leaf: bytes, keys: Sequence[note.VerifierKey]) -> Checkpoint:
        """Hold the raw leaf against the path and the signed root.

        Raises:
            Refusal: the checkpoint is not signed by one of `keys`, or the leaf is not what was sealed.
        """
        checkpoint = open_checkpoint(self.checkpoint, keys)
        root = merkle.root_from_path(merkle.leaf_hash(leaf), self.index, checkpoint.size, self.path)
        if root != checkpoint.root:
            where = f"index {self.index} of {printable(checkpoint.origin)}"
            raise Refusal("leaf", f"is not what was sealed at {where}: the roots differ")
        return checkpoint
