"""The artifact store: large values in a folder or an object store, each under the digest of its bytes."""

import asyncio
import hashlib
import mmap
import os
import re
import shutil
import tempfile
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO

import fsspec
from fsspec.implementations.local import LocalFileSystem

from domain.artifact import ArtifactRef
from domain.refusal import Refusal

_DIGEST = re.compile(r"[0-9a-f]{64}")
_FRESH = timedelta(hours=1)
_WRITING = ThreadPoolExecutor(16, "artifacts")
"""Threads that wait for the disk: many files settle together, and nothing that computes waits for them."""


class FsspecArtifacts:
    """Content-addressed files on any fsspec file system.

    `place` is a folder or an fsspec URL (`s3://bucket/path`; the driver must be installed). Credentials come
    from the driver's own configuration, never from the URL, which references carry.

    Raises:
        Refusal: no driver is installed for the URL's scheme.
    """

    def __init__(self, place: str) -> None:
        try:
            self._files, self._root = fsspec.core.url_to_fs(place)
        except (ValueError, ImportError) as error:
            raise Refusal("FOLKMOOT_ARTIFACTS", str(error)) from None

    async def put(self, content: bytes) -> ArtifactRef:
        """Store `content`; the reference names it by its SHA-256, so that a repeated put changes nothing."""
        digest = hashlib.sha256(content).hexdigest()
        path = self._path(digest)
        await asyncio.get_running_loop().run_in_executor(_WRITING, self._write, path, content)
        return ArtifactRef(uri=self._files.unstrip_protocol(path), sha256=digest, bytes=len(content))

    async def get(self, ref: ArtifactRef) -> bytes:
        """Read and check.

        Raises:
            Refusal: the digest is none, nothing lies under it in this store, or other bytes do.
        """
        # Found by its digest, not by its uri: a reference comes from an input and must not read other files.
        path = self._path(ref.sha256)
        try:
            content: bytes = await asyncio.to_thread(self._files.cat_file, path)
        except FileNotFoundError:
            raise _missing(ref) from None
        if len(content) != ref.bytes or hashlib.sha256(content).hexdigest() != ref.sha256:
            raise _changed(ref)
        return content

    async def listed(self) -> dict[str, int]:
        """The length of every artifact here, by its digest; answers and whatever else lies here left out."""
        found = await asyncio.to_thread(self._found)
        return {digest: size for digest, size in found if _DIGEST.fullmatch(digest)}

    async def changed_at(self, digest: str) -> datetime | None:
        """When an artifact was put last; None where it is gone, or this file system does not tell."""
        try:
            at: datetime = await asyncio.to_thread(self._files.modified, self._path(digest))
        except (FileNotFoundError, NotImplementedError):
            return None
        return at if at.tzinfo else at.replace(tzinfo=UTC)

    async def remove(self, digest: str, before: datetime) -> bool:
        """Take an artifact out, unless it was put again after `before`; whether it was taken out."""
        at = await self.changed_at(digest)
        if at is None or at > before:
            return False
        return await asyncio.to_thread(self._take_out, self._path(digest), before)

    async def mapped(self, ref: ArtifactRef) -> memoryview:
        """The bytes as a file on this machine has them, mapped and not read in; checked once, when opened.

        A folder's own file is mapped. Of an object store a copy is made that has no name any more, so that it
        goes when nobody looks at it.

        Raises:
            Refusal: as `get`.
        """
        return await asyncio.to_thread(self._mapped, ref, self._path(ref.sha256))

    def _mapped(self, ref: ArtifactRef, path: str) -> memoryview:
        try:
            with self._local(path) as file:
                length = os.fstat(file.fileno()).st_size
                content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if length else b""
        except FileNotFoundError:
            raise _missing(ref) from None
        view = memoryview(content)
        if len(view) != ref.bytes or hashlib.sha256(view).hexdigest() != ref.sha256:
            raise _changed(ref)
        return view

    def _local(self, path: str) -> IO[bytes]:
        if isinstance(self._files, LocalFileSystem):
            return open(path, "rb")  # noqa: PTH123 # as fsspec; who asked closes it
        spooled = tempfile.TemporaryFile()  # noqa: SIM115 # who asked closes it
        try:
            with self._files.open(path, "rb") as source:
                shutil.copyfileobj(source, spooled, 1 << 20)
            spooled.flush()
        except BaseException:
            spooled.close()
            raise
        return spooled

    async def answered(self, key: str) -> bytes | None:
        """The answer that was kept under `key`, or None; it bears no digest, so its reader checks it."""
        try:
            answer: bytes = await asyncio.to_thread(self._files.cat_file, self._answer(key))
        except FileNotFoundError:
            return None
        return answer

    async def keep(self, key: str, answer: bytes) -> None:
        """Keep `answer` under `key`, whole and durable, in place of one that was kept before."""
        await asyncio.to_thread(self._store, self._answer(key), answer)

    def _answer(self, key: str) -> str:
        if not _DIGEST.fullmatch(key):
            raise Refusal("key", "is not 64 lower-case hexadecimal digits")
        return f"{self._root}/answers/{key}"

    def _path(self, digest: str) -> str:
        if not _DIGEST.fullmatch(digest):
            raise Refusal("sha256", "is not 64 lower-case hexadecimal digits")
        return f"{self._root}/{digest[:2]}/{digest}"

    def _found(self) -> list[tuple[str, int]]:
        try:
            there = self._files.find(self._root, detail=True)
        except FileNotFoundError:
            return []
        parts = ((path.rsplit("/", 2), told) for path, told in there.items())
        return [(name, told["size"]) for (*_, folder, name), told in parts if folder == name[:2]]

    def _write(self, path: str, content: bytes) -> None:
        if self._size(path) != len(content):
            self._store(path, content)
        elif isinstance(self._files, LocalFileSystem):
            try:
                os.utime(path)  # so that it counts as young: whoever puts it is about to refer to it
            except FileNotFoundError:  # it was taken out just now
                self._store(path, content)
        elif not self._is_fresh(path):
            self._store(path, content)

    def _size(self, path: str) -> int | None:
        try:
            if isinstance(self._files, LocalFileSystem):
                return os.stat(path).st_size  # noqa: PTH116 # fsspec speaks in strings
            size: int = self._files.size(path)
        except FileNotFoundError:
            return None
        return size

    def _take_out(self, path: str, before: datetime) -> bool:
        if not isinstance(self._files, LocalFileSystem):
            self._files.rm_file(path)
            return True
        aside = f"{path}.{uuid.uuid4().hex}.gone"  # whoever puts it from now on finds nothing, and stores it
        os.rename(path, aside)  # noqa: PTH104 # fsspec speaks in strings
        if os.stat(aside).st_mtime > before.timestamp():  # noqa: PTH116 # as above
            os.replace(aside, path)  # noqa: PTH105 # as above
            return False
        os.unlink(aside)  # noqa: PTH108 # as above
        return True

    def _is_fresh(self, path: str) -> bool:
        try:
            at: datetime = self._files.modified(path)
        except (FileNotFoundError, NotImplementedError):
            return True  # where ages are not told, nothing is ever taken out
        return datetime.now(UTC) - (at if at.tzinfo else at.replace(tzinfo=UTC)) < _FRESH

    def _store(self, path: str, content: bytes) -> None:
        if isinstance(self._files, LocalFileSystem):
            try:
                _write_atomically(path, content)
            except FileNotFoundError:
                # Ballots and their reasons are nobody's business but their owner's.
                Path(self._root).mkdir(mode=0o700, parents=True, exist_ok=True)
                Path(path).parent.mkdir(mode=0o700, exist_ok=True)
                _write_atomically(path, content)
        else:  # an object store shows an object only when it is whole
            self._files.makedirs(path.rsplit("/", 1)[0], exist_ok=True)
            self._files.pipe_file(path, content)


def _missing(ref: ArtifactRef) -> Refusal:
    return Refusal("sha256", f"the artifact {ref.sha256[:12]} is not in this store; put it there")


def _changed(ref: ArtifactRef) -> Refusal:
    return Refusal("sha256", f"the artifact {ref.sha256[:12]} was changed: its digest is another")


def _write_atomically(path: str, content: bytes) -> None:
    """Whole or not at all, even if the machine dies: write beside, flush to the disk, rename."""
    beside = f"{path}.{uuid.uuid4().hex}.part"
    try:
        with open(beside, "wb") as file:  # noqa: PTH123 # fsspec speaks in strings
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)  # noqa: PTH105 # as above
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(beside)  # noqa: PTH108 # as above
        raise
    _settle(os.path.dirname(path))  # noqa: PTH120 # as above


def _settle(folder: str) -> None:
    """Make the renaming itself durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
