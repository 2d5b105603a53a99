"""A large value by reference: where it lies and what its bytes must hash to."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ArtifactRef:
    """Bytes kept outside events and payloads. `sha256` is lower-case hex; `bytes` the length."""

    uri: str
    sha256: str
    bytes: int
    shape: tuple[int, ...] | None = None
    dtype: str | None = None
