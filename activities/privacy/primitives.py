"""The cryptography of secure sums, all of it from `cryptography`: keys, seals, masks.

X25519 (RFC 7748), HKDF-SHA256 (RFC 5869), AES-256-GCM and AES-256-CTR (NIST SP 800-38D, 800-38A), Ed25519
(RFC 8032). Every symmetric key is derived for one message in one attempt, which is why nonces are zero.
"""

import hashlib

import numpy as np
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from domain.learning.fixed_point import Words
from domain.refusal import Refusal

KEY_BYTES = 32
TAG_BYTES = 16
_NONCE = bytes(12)
_FIELD = 2**255 - 19
_ORDER_8 = (
    325606250916557431795983626356110631294008115727848805560023387167927233504,
    39382357235489614581723060781553021112529911719440698176882885853963445705823,
)
LOW_ORDER = frozenset(
    (number + high).to_bytes(KEY_BYTES, "little")
    for number in (0, 1, _FIELD - 1, _FIELD, _FIELD + 1, *_ORDER_8)
    for high in (0, 2**255)  # a bit that is not looked at
)
"""Keys that give no secret (RFC 7748, section 6.1); `agree` refuses them."""
_COUNTING = modes.CTR(bytes(16))
_BLOCK = 1 << 16
"""Words of a mask that are made and added at once: they stay in the processor's cache."""


def derive(secret: bytes, salt: bytes, label: bytes, size: int = KEY_BYTES) -> bytes:
    """A key for one use, which `label` names; `salt` binds it to one attempt."""
    return HKDF(SHA256(), size, salt, b"folkmoot/secure-sum/" + label).derive(secret)


def agree(private: X25519PrivateKey, public: bytes, whose: str) -> bytes:
    """The secret of two keys.

    Raises:
        Refusal: the other is no key.
    """
    try:
        return private.exchange(X25519PublicKey.from_public_bytes(public))
    except ValueError:  # of low order: the secret would be known to all
        raise Refusal(whose, "is no key of X25519 that gives a secret") from None


def seal(key: bytes, plain: bytes, bound: bytes = b"") -> bytes:
    """Encrypted and authenticated; `key` is for this one message, `bound` must be the same to open it."""
    return AESGCM(key).encrypt(_NONCE, plain, bound)


def unseal(key: bytes, sealed: bytes, bound: bytes = b"") -> bytes | None:
    """What was sealed; None where the message, the key or what it is bound to is another."""
    try:
        return AESGCM(key).decrypt(_NONCE, sealed, bound)
    except (InvalidTag, ValueError):  # ValueError: shorter than a tag
        return None


def signed_by(public: bytes, signature: bytes, message: bytes) -> bool:
    """Whether the holder of an Ed25519 key signed the message."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):  # ValueError: not 32 bytes
        return False
    return True


def commitment(salt: bytes, index: int, secret: bytes) -> bytes:
    """SHA-256 that lets a secret of 128 random bits be recognised and says nothing of it."""
    return hashlib.sha256(b"folkmoot/secure-sum/commit\0" + salt + index.to_bytes(2, "big") + secret).digest()


class Stream:
    """The bytes that AES-256-CTR makes of a key: as many as asked, from where the last call ended."""

    def __init__(self, key: bytes) -> None:
        self._cipher = Cipher(algorithms.AES256(key), _COUNTING).encryptor()

    def __call__(self, size: int) -> bytes:
        return self._cipher.update(bytes(size))


class Masks:
    """Adds masks to a vector modulo 2^32, block by block through one buffer."""

    def __init__(self, words: Words) -> None:
        self.words = words
        self._made = np.empty(min(_BLOCK, words.size), np.uint32)
        self._bytes = self._made.data.cast("B")
        self._zeros = memoryview(bytes(self._made.nbytes))

    def add(self, key: bytes) -> None:
        """Add the mask that `key` makes."""
        self._apply(key, np.add)

    def subtract(self, key: bytes) -> None:
        """Take it away again."""
        self._apply(key, np.subtract)

    def _apply(self, key: bytes, change: np.ufunc) -> None:
        cipher = Cipher(algorithms.AES256(key), _COUNTING).encryptor()
        for start in range(0, self.words.size, _BLOCK):
            part = self.words[start : start + _BLOCK]
            cipher.update_into(self._zeros[: part.nbytes], self._bytes[: part.nbytes])
            change(part, self._made[: part.size], out=part)
