"""Raw records in a file: a line of `offset timestamp key-length value-length`, the key, the value, a newline.

A key-length of -1 stands for no key. Values are there byte for byte, as they were hashed.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from domain.refusal import Refusal
from eventlog.record import RawRecord

_HEADER = re.compile(rb"(\d{1,18}) (-?\d{1,18}) (-1|\d{1,6}) (\d{1,9})\n")
_BATCH = 1000
_LONGEST_HEADER = 80


def write(file: BinaryIO, records: Iterable[RawRecord]) -> None:
    """Append `records`."""
    for record in records:
        key = record.key
        length = -1 if key is None else len(key)
        file.write(b"%d %d %d %d\n" % (record.offset, record.timestamp_ms, length, len(record.value)))
        file.write((key or b"") + record.value + b"\n")


def read(path: Path, topic: str, partition: int) -> Iterator[list[RawRecord]]:
    """The records of a file, in batches.

    Raises:
        Refusal: it is not in this form; the offset after which, as far as it could be read.
    """
    with path.open("rb") as file:
        batch: list[RawRecord] = []
        after = -1
        while header := file.readline(_LONGEST_HEADER):
            record = _record(file, header, topic, partition)
            if record is None or record.offset <= after:
                yield batch
                raise Refusal(path.name, f"is damaged after the record of offset {after}")
            after = record.offset
            batch.append(record)
            if len(batch) == _BATCH:
                yield batch
                batch = []
        if batch:
            yield batch


def _record(file: BinaryIO, header: bytes, topic: str, partition: int) -> RawRecord | None:
    found = _HEADER.fullmatch(header)
    if found is None:
        return None
    offset, timestamp, key_length, value_length = (int(number) for number in found.groups())
    body = file.read(max(key_length, 0) + value_length + 1)
    if len(body) != max(key_length, 0) + value_length + 1 or not body.endswith(b"\n"):
        return None
    key = None if key_length < 0 else body[:key_length]
    return RawRecord(topic, partition, offset, timestamp, key, body[max(key_length, 0) : -1])
