"""An artifact store in memory; it passes the same conformance tests as the real one."""

import hashlib

from domain.artifact import ArtifactRef
from domain.refusal import Refusal


class MemoryArtifacts:
    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}
        self.answers: dict[str, bytes] = {}

    async def put(self, content: bytes) -> ArtifactRef:
        digest = hashlib.sha256(content).hexdigest()
        self._kept.setdefault(digest, content)
        return ArtifactRef(uri=f"memory://{digest}", sha256=digest, bytes=len(content))

    async def get(self, ref: ArtifactRef) -> bytes:
        content = self._kept.get(ref.sha256)
        if content is None:
            raise Refusal("sha256", f"the artifact {ref.sha256[:12]} is not in this store")
        if len(content) != ref.bytes or hashlib.sha256(content).hexdigest() != ref.sha256:
            raise Refusal(
                "sha256", f"the artifact {ref.sha256[:12]} was changed: its bytes have another SHA-256"
            )
        return content

    async def mapped(self, ref: ArtifactRef) -> memoryview:
        return memoryview(await self.get(ref))

    def damage(self, ref: ArtifactRef) -> None:
        self._kept[ref.sha256] = b"changed"

    async def answered(self, key: str) -> bytes | None:
        return self.answers.get(key)

    async def keep(self, key: str, answer: bytes) -> None:
        self.answers[key] = answer
