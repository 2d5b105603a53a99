"""A record as people and programs are shown it, whatever it holds."""

import json
from typing import Any

import msgspec

from domain.strict_json import printable
from eventlog.codec import decode, peek
from eventlog.record import RawRecord, moment
from eventlog.undecodable import Undecodable

_DATA_WIDTH = 100


def as_object(record: RawRecord) -> dict[str, Any]:
    """The stored event's attributes with `topic`, `partition` and `offset` beside them, as JSON values.

    Of a record that is no event: what can be told of it, the reason, and its size; never its content.
    """
    place = {"topic": record.topic, "partition": record.partition, "offset": record.offset}
    try:
        decode(record.value)
    except Undecodable as undecodable:
        return place | _told(record) | {"undecodable": undecodable.reason, "bytes": len(record.value)}
    return place | msgspec.json.decode(record.value, type=dict[str, Any])


def as_json(record: RawRecord) -> str:
    """`as_object` in one line of ASCII, so that no event's text can act on a terminal."""
    return json.dumps(as_object(record), separators=(",", ":"))


def as_text(record: RawRecord) -> str:
    """One line for a terminal: when, where, which stream, what; of what is no event, why not."""
    shown = as_object(record)
    # A record that is no event has no time of its own; Kafka has one.
    at = shown.get("time") or moment(record.timestamp_ms).isoformat(timespec="microseconds")
    head = f"{at.replace('+00:00', 'Z'):27}  {record.topic}/{record.partition}@{record.offset}"
    what = f"{shown['subject']} v{shown['streamversion']}  {shown['type']}"
    if "undecodable" in shown:
        is_what = "no event" if shown["type"] is None else f"{printable(what)}, but cannot be read"
        return f"{head}  {is_what}: {shown['undecodable']} ({shown['bytes']} bytes)"
    data = json.dumps(shown["data"], ensure_ascii=False)
    return f"{head}  {what}  {printable(data, _DATA_WIDTH)}"


def _told(record: RawRecord) -> dict[str, Any]:
    heading = peek(record.value)
    if heading is None:
        return {"id": None, "type": None, "subject": None, "streamversion": None}
    return {
        "id": heading.id,
        "type": printable(heading.type),
        "subject": heading.stream,
        "streamversion": heading.version,
    }
