"""A copy of the sealed log in a folder: what an outsider needs, and an audit of it.

`logs.json` names the partitions and their origins; `<topic>-<partition>.records` holds raw records,
`<topic>-<partition>.hashes` the kept leaf hashes, 32 bytes each. Only sealed records are copied.
"""

import json
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Any

from audit import published, records_file
from audit.merkle import HASH_BYTES
from audit.source import SealedLog, Source
from audit.tiles import Coordinate, split_hashes
from domain import strict_json
from domain.refusal import Refusal
from domain.strict_json import printable
from eventlog.record import RawRecord
from eventlog.topics import SEALED
from projections.checkpoints import CheckpointRow
from projections.merkle import LeafTile
from projections.signing_keys import KeyRow

_INDEX = "logs.json"
_CHUNK = 10_000


async def write(source: Source, folder: Path, progress: Callable[[int, int], None]) -> int:
    """Copy everything that is sealed into the new `folder`; how many records.

    Raises:
        Refusal: the folder is there already, or cannot be made.
    """
    try:
        folder.mkdir(parents=True)  # noqa: ASYNC240 # local, at once, and nothing else is running
    except OSError as error:
        raise Refusal("folder", f"{folder} cannot be made: {error.strerror}") from None
    sealed = [(log, await _covered(source, log)) for log in await source.logs()]
    total = sum(size for _, size in sealed)
    copied = 0
    for log, size in sealed:
        await _copy_hashes(source, log, size, folder)
        copied += await _copy_records(source, log, size, folder)
        progress(copied, total)
    await _copy_records(source, SealedLog(published.TOPIC, 0, ""), None, folder)
    index = [{"topic": log.topic, "partition": log.partition, "origin": log.origin} for log, _ in sealed]
    (folder / _INDEX).write_text(json.dumps(index, indent=1) + "\n", "utf-8")
    return copied


async def _covered(source: Source, log: SealedLog) -> int:
    rows = await source.kept(log.topic, log.partition) or []
    return max((row.size for row in rows if row.published), default=0)


async def _copy_records(source: Source, log: SealedLog, most: int | None, folder: Path) -> int:
    done = 0
    with (folder / _file(log, "records")).open("wb") as file:
        async with aclosing(source.records(log.topic, log.partition)) as batches:
            async for batch in batches:
                wanted = batch if most is None else batch[: most - done]
                records_file.write(file, wanted)
                done += len(wanted)
                if done == most:
                    break
    return done


async def _copy_hashes(source: Source, log: SealedLog, size: int, folder: Path) -> None:
    with (folder / _file(log, "hashes")).open("wb") as file:
        for first in range(0, size, _CHUNK):
            count = min(_CHUNK, size - first)
            file.write(b"".join(await source.leaf_hashes(log.topic, log.partition, first, count)))


def _file(log: SealedLog, kind: str) -> str:
    return f"{log.topic}-{log.partition}.{kind}"


class Copy:
    """See `audit.source.Source`."""

    complete = True

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def logs(self) -> Sequence[SealedLog]:
        try:
            raw = (self._folder / _INDEX).read_bytes()
        except OSError:
            raise Refusal(
                "folder", f"{self._folder} holds no {_INDEX}: `moot audit export` makes it"
            ) from None
        logs = [_log(entry) for entry in _list(strict_json.parse(raw, what=_INDEX))]
        if len({log.name for log in logs}) != len(logs):
            raise Refusal(_INDEX, "lists a log twice")
        return logs

    async def length(self, topic: str, partition: int) -> int:
        return (await self.leaves(topic, partition)) or 0

    async def records(self, topic: str, partition: int) -> AsyncGenerator[list[RawRecord], None]:
        path = self._path(topic, partition, "records")
        for batch in records_file.read(path, topic, partition):
            yield batch

    async def leaves(self, topic: str, partition: int) -> int | None:
        return self._path(topic, partition, "hashes").stat().st_size // HASH_BYTES

    async def leaf_hashes(self, topic: str, partition: int, first: int, count: int) -> list[bytes]:
        with self._path(topic, partition, "hashes").open("rb") as file:
            file.seek(first * HASH_BYTES)
            return split_hashes(file.read(count * HASH_BYTES))

    async def upper_tiles(self, topic: str, partition: int) -> tuple[dict[Coordinate, bytes], list[LeafTile]]:  # noqa: ARG002 # the protocol's
        return {}, []

    async def keys(self) -> list[KeyRow] | None:
        return None

    async def kept(self, topic: str, partition: int) -> list[CheckpointRow] | None:  # noqa: ARG002 # the protocol's
        return None

    def _path(self, topic: str, partition: int, kind: str) -> Path:
        path = self._folder / f"{topic}-{partition}.{kind}"
        if not path.is_file():
            raise Refusal("folder", f"{path.name} is missing from {self._folder}")
        return path


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list) or not value:
        raise Refusal(_INDEX, "does not list the logs")
    return value


def _log(entry: Any) -> SealedLog:
    topic, partition, origin = (
        (entry.get("topic"), entry.get("partition"), entry.get("origin"))
        if isinstance(entry, dict)
        else (None, None, None)
    )
    if topic not in SEALED or type(partition) is not int or not isinstance(origin, str):
        raise Refusal(_INDEX, "holds an entry that is no log: topic, partition and origin are expected")
    if not origin.endswith(f"{topic}/{partition}"):  # a topic's name in Kafka may bear a prefix
        raise Refusal(_INDEX, f"{printable(origin, 100)} is no origin of {topic}/{partition}")
    return SealedLog(topic, partition, origin)
