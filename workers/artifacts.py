"""The artifact store: large values in a folder or an object store, each under the digest of its bytes."""

import asyncio
import contextlib
import hashlib
import mmap
import os
import re
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO
from urllib.parse import quote, unquote

import fsspec
from fsspec.implementations.local import LocalFileSystem

from domain.artifact import ArtifactRef
from domain.refusal import Refusal
from domain.strict_json import printable
from workers.whole_file import write_whole

_DIGEST = re.compile(r"[0-9a-f]{64}")
_FOLDER = 2  # digits of a digest, by which artifacts are in folders
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
            # Others write and remove here too: a listing kept from before would lie.
            self._files, self._root = fsspec.core.url_to_fs(place, use_listings_cache=False)
        except (ValueError, ImportError) as error:
            raise Refusal("FOLKMOOT_ARTIFACTS", str(error)) from None
        self._bucket_is_there = False

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
        return await asyncio.to_thread(self._age, self._path(digest))

    async def remove(self, digest: str, before: datetime) -> bool:
        """Take an artifact out, unless it was put again after `before`; whether it was taken out."""
        at = await self.changed_at(digest)
        if at is None or at > before:
            return False
        return await asyncio.to_thread(self._take_out, self._path(digest), before)

    async def mark(self, log: str) -> None:
        """Say for good that records of `log` refer to what lies here; a repeat changes nothing."""
        path = self._mark_of(log)
        if not await asyncio.to_thread(self._files.exists, path):
            await asyncio.to_thread(self._store, path, log.encode())

    async def marks(self) -> dict[str, datetime | None]:
        """The logs that left a mark, and when; None where this file system does not tell."""
        return await asyncio.to_thread(self._marks)

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

    def _mark_of(self, log: str) -> str:
        return f"{self._root}/logs/{quote(log, safe='@')}"

    def _marks(self) -> dict[str, datetime | None]:
        try:
            there = self._files.ls(f"{self._root}/logs", detail=False)
        except FileNotFoundError:
            return {}
        logs = [unquote(path.rsplit("/", 1)[1]) for path in there if not path.endswith(".part")]
        return {log: self._age(self._mark_of(log)) for log in logs}

    def _age(self, path: str) -> datetime | None:
        try:
            at: datetime = self._files.modified(path)
        except (FileNotFoundError, NotImplementedError):
            return None
        return at if at.tzinfo else at.replace(tzinfo=UTC)

    def _path(self, digest: str) -> str:
        if not _DIGEST.fullmatch(digest):
            raise Refusal("sha256", "is not 64 lower-case hexadecimal digits")
        return f"{self._root}/{digest[:_FOLDER]}/{digest}"

    def _found(self) -> list[tuple[str, int]]:
        if isinstance(self._files, LocalFileSystem):
            return list(_in_folders(Path(self._root)))
        try:
            there = self._files.find(self._root, detail=True)
        except FileNotFoundError:
            return []
        parts = ((path.rsplit("/", 2), told) for path, told in there.items())
        return [(name, told["size"]) for (*_, folder, name), told in parts if folder == name[:_FOLDER]]

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
        at = self._age(path)  # where ages are not told, nothing is ever taken out
        return at is None or datetime.now(UTC) - at < _FRESH

    def _store(self, path: str, content: bytes) -> None:
        if isinstance(self._files, LocalFileSystem):
            try:
                write_whole(path, content)
            except FileNotFoundError:
                # Ballots and their reasons are nobody's business but their owner's.
                Path(self._root).mkdir(mode=0o700, parents=True, exist_ok=True)
                Path(path).parent.mkdir(mode=0o700, exist_ok=True)
                write_whole(path, content)
        else:  # an object store shows an object only when it is whole
            self._make_folder(path.rpartition("/")[0])
            self._files.pipe_file(path, content)

    def _make_folder(self, folder: str) -> None:
        bucket = folder.partition("/")[0]  # empty where paths begin with a slash, as on a disk
        if not bucket:
            self._files.makedirs(folder, exist_ok=True)
        elif not (self._bucket_is_there or self._files.exists(bucket)):
            raise Refusal("FOLKMOOT_ARTIFACTS", f"there is no bucket {printable(bucket, 80)}; make it first")
        self._bucket_is_there = True


def _in_folders(root: Path) -> Iterator[tuple[str, int]]:
    """Fsspec leaves out what it may not read, without a word; what that refers to would then be collected."""
    for folder in sorted(root.iterdir()) if root.exists() else ():
        if folder.is_dir() and len(folder.name) == _FOLDER:
            for file in os.scandir(folder):
                with contextlib.suppress(FileNotFoundError):  # it was renamed or taken out just now
                    if file.name.startswith(folder.name) and file.is_file():
                        yield file.name, file.stat().st_size


def _missing(ref: ArtifactRef) -> Refusal:
    return Refusal("sha256", f"the artifact {ref.sha256[:12]} is not in this store; put it there")


def _changed(ref: ArtifactRef) -> Refusal:
    return Refusal("sha256", f"the artifact {ref.sha256[:12]} was changed: its bytes have another SHA-256")
