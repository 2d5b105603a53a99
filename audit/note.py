"""Signed notes with Ed25519 keys, as C2SP signed-note defines them and Go's `sumdb/note` reads them.

A note is text that ends in a newline, an empty line, and a line per signature:
`— <key name> <base64 of the 4-byte key id and the signature>`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from audit.strict_text import from_base64, to_base64
from domain.refusal import Refusal
from domain.strict_json import printable

MAX_NOTE_BYTES = 1_000_000
_MAX_SIGNATURES = 100
_ED25519 = b"\x01"
_KEY_BYTES = 32
_ID_BYTES = 4
SIGNED = "— "  # an em dash and a space, pinned by the specification
_PRIVATE = "PRIVATE+KEY+"


def check_name(name: str, where: str = "key") -> str:
    """A key's name: not empty, no space, no plus.

    Raises:
        Refusal: it is something else.
    """
    if not name or "+" in name or any(c.isspace() or not c.isprintable() for c in name):
        raise Refusal(where, f"{printable(name)!r} is no key name: it is empty or holds a space or a plus")
    return name


def _key_id(name: str, public: bytes) -> bytes:
    return sha256(name.encode() + b"\n" + _ED25519 + public).digest()[:_ID_BYTES]


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key by name; its text form is the vkey that other languages' tools take."""

    name: str
    public: bytes

    @property
    def key_id(self) -> bytes:
        """The first 4 bytes of SHA-256(name, newline, 0x01, public key)."""
        return _key_id(self.name, self.public)

    @property
    def short(self) -> str:
        """Name and key id: what a signature says of its key."""
        return f"{self.name}+{self.key_id.hex()}"

    def __str__(self) -> str:
        return f"{self.short}+{to_base64(_ED25519 + self.public)}"

    @classmethod
    def parse(cls, text: str) -> "VerifierKey":
        """Read `name+key id+base64`.

        Raises:
            Refusal: the form, the key id or the kind of key is wrong.
        """
        parts = text.strip().split("+", 2)
        if len(parts) != 3:  # noqa: PLR2004 # the three parts that the line above names
            raise Refusal(
                "key", "is no verifier key: name+key id+base64 is expected, as `moot audit key` prints"
            )
        name = check_name(parts[0])
        raw = from_base64(parts[2], "key")
        if len(raw) != _KEY_BYTES + 1 or raw[:1] != _ED25519:
            raise Refusal("key", "is not an Ed25519 key, the only kind that signs here")
        key = cls(name, raw[1:])
        if parts[1] != key.key_id.hex():
            raise Refusal(
                "key",
                f"has the id {printable(parts[1], 16)!r}, but its name and bytes give {key.key_id.hex()}",
            )
        return key

    def verify(self, text: str, signature: bytes) -> bool:
        """Whether `signature` over the note's text is this key's."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, text.encode())
        except (InvalidSignature, ValueError):
            return False
        return True


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key by name; never printed: its repr shows only the name."""

    name: str
    private: Ed25519PrivateKey = field(repr=False)

    @classmethod
    def generate(cls, name: str) -> "SigningKey":
        """A new key from the system's randomness."""
        return cls(check_name(name, "cluster"), Ed25519PrivateKey.generate())

    @classmethod
    def parse(cls, text: str) -> "SigningKey":
        """Read `PRIVATE+KEY+name+key id+base64`, the form that Go's `note.GenerateKey` writes.

        Raises:
            Refusal: it is not such a key; nothing of it is quoted.
        """
        name, _, rest = text.strip().removeprefix(_PRIVATE).partition("+")
        key_id, _, encoded = rest.partition("+")
        try:
            raw = from_base64(encoded, "signing_key", _KEY_BYTES + 1)
            key = cls(check_name(name), Ed25519PrivateKey.from_private_bytes(raw[1:]))
            sound = raw[:1] == _ED25519 and key.verifier.key_id.hex() == key_id
        except ValueError:
            sound = False
        if not sound or not text.startswith(_PRIVATE):
            raise Refusal("signing_key", f"is no signing key: {_PRIVATE}name+key id+base64 is expected")
        return key

    def secret(self) -> str:
        """The text to be stored where only the owner reads it."""
        seed = self.private.private_bytes_raw()
        return f"{_PRIVATE}{self.name}+{self.verifier.key_id.hex()}+{to_base64(_ED25519 + seed)}\n"

    @property
    def verifier(self) -> VerifierKey:
        return VerifierKey(self.name, self.private.public_key().public_bytes_raw())

    def sign(self, text: str) -> str:
        """The signed note over `text`, which ends in a newline; the same text gives the same note."""
        return f"{text}\n{self.signature(text)}"

    def signature(self, text: str) -> str:
        """One signature line over `text`, to be put below others."""
        blob = self.verifier.key_id + self.private.sign(text.encode())
        return f"{SIGNED}{self.name} {to_base64(blob)}\n"


def read_note(raw: bytes) -> tuple[str, list[str]]:
    """A note's text, and whose signatures it bears (as `VerifierKey.short`); none of them is checked here.

    Raises:
        Refusal: it is no signed note.
    """
    text, signatures = _take_apart(raw)
    return text, [f"{name}+{blob[:_ID_BYTES].hex()}" for name, blob in signatures]


def open_note(raw: bytes, keys: Sequence[VerifierKey]) -> str:
    """The text of a note that at least one of `keys` signed; signatures of unknown keys are passed over.

    Raises:
        Refusal: it is malformed, a known key's signature is wrong, or no known key signed it.
    """
    text, signatures = _take_apart(raw)
    signed = False
    for name, blob in signatures:
        for key in keys:
            if (key.name, key.key_id) == (name, blob[:_ID_BYTES]):
                if not key.verify(text, blob[_ID_BYTES:]):
                    raise Refusal("checkpoint", f"the signature of {name} is not over this text")
                signed = True
    if not signed:
        raise Refusal(
            "checkpoint", f"is not signed by {' or '.join(key.name for key in keys)} with the given key"
        )
    return text


def _take_apart(raw: bytes) -> tuple[str, list[tuple[str, bytes]]]:
    if len(raw) > MAX_NOTE_BYTES:
        raise Refusal("checkpoint", f"{len(raw)} bytes are too many for a note, at most {MAX_NOTE_BYTES}")
    try:
        whole = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Refusal("checkpoint", f"is not UTF-8 at byte {error.start}") from None
    if any(c < " " and c != "\n" for c in whole):
        raise Refusal("checkpoint", "holds a control character")
    text, empty_line, lines = whole.rpartition("\n\n")
    if not empty_line or not lines.endswith("\n") or lines.count("\n") > _MAX_SIGNATURES:
        raise Refusal("checkpoint", "is no signed note: text, an empty line and signature lines are expected")
    return text + "\n", [_signature(line) for line in lines[:-1].split("\n")]


def _signature(line: str) -> tuple[str, bytes]:
    name, _, encoded = line.removeprefix(SIGNED).partition(" ")
    blob = from_base64(encoded, "checkpoint") if encoded and line.startswith(SIGNED) else b""
    if len(blob) <= _ID_BYTES:
        raise Refusal("checkpoint", f"{printable(line, 40)!r} is no signature line")
    return check_name(name, "checkpoint"), blob
