"""Noise that comes out the same again for the same release, and is never used for another one."""

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from activities.learning_ports import Journal
from domain.learning.discrete_gaussian import Draw
from domain.refusal import Refusal

KEY = "dp/noise-key"
_INFO = b"folkmoot dp noise 1\0"


class NoiseStream:
    """Uniform bytes by AES-256 in counter mode, under a key that only this journal has.

    Each release has a key of its own: HKDF-SHA256 (RFC 5869) of the journal's secret, the release's id and
    the digest of what it is made of. Whoever has the journal can take the noise off again.
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    async def of(self, release: str, inputs: bytes) -> Draw:
        """The bytes for `release`, made of what has the digest `inputs` (SHA-256).

        Raises:
            Refusal: a release of that id was made of something else; its difference would show both.
        """
        kept = await self._journal.once(f"dp/release/{release}", inputs)
        if kept != inputs:
            raise Refusal("release", f"{release} was made of other updates before; it is not noised twice")
        # Of 32 bytes, by the library's own generator; it never leaves the journal.
        secret = await self._journal.once(KEY, ChaCha20Poly1305.generate_key())
        info = _INFO + len(release.encode()).to_bytes(4, "big") + release.encode() + inputs
        key = HKDF(SHA256(), 32, salt=None, info=info).derive(secret)
        stream = Cipher(AES(key), CTR(bytes(16))).encryptor()
        return lambda count: stream.update(bytes(count))
